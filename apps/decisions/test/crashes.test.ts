import { MARKET_PARTITIONS } from '@tickfold/market';
import { championOf, readPromotions } from '@tickfold/promotion';
import { connect, runResumably, type StreamClient } from '@tickfold/stream';
import { startEmbeddedBroker } from '@tickfold/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Progress, runDecisions } from '../src/run-decisions.ts';
import { dyingClient, type Fuse } from './dying-client.ts';
import { command, decide, decisionsByAudit, liveDecisions, type Wish } from './live-volume.ts';

const MODELS: [string, ...string[]] = ['a', 'b', 'c'];

/** What happens while the app lives and dies. */
type Happening =
  /** Each version decides about some more inputs of a partition: one more than another, so that it is ahead. */
  { kind: 'decide'; partition: number; counts: number[] } | { kind: 'wish'; wish: Omit<Wish, 'id'> };

const decides = fc.record({
  kind: fc.constant('decide' as const),
  partition: fc.nat(MARKET_PARTITIONS - 1),
  counts: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: MODELS.length, maxLength: MODELS.length }),
});
const wishes = fc.record({
  kind: fc.constant('wish' as const),
  wish: fc.oneof(
    fc.constantFrom(...MODELS).map((model) => ({ action: 'promote' as const, model })),
    fc.constant({ action: 'rollback' as const }),
  ),
});
const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: decides }, { weight: 2, arbitrary: wishes }),
  { minLength: 25, maxLength: 35 },
);
const fuses: fc.Arbitrary<Fuse[]> = fc.array(
  fc.record({
    callsLeft: fc.integer({ min: 0, max: 25 }),
    lastCommitCounts: fc.boolean(),
  }),
  { minLength: 8, maxLength: 8 },
);

/** Lets things happen, and looks on. */
class World {
  readonly wishes: string[] = [];
  readonly #client: StreamClient;
  readonly #decided = new Map<string, number>();
  #onProgress = () => {};

  constructor(client: StreamClient) {
    this.#client = client;
  }

  async letHappen(happening: Happening): Promise<void> {
    if (happening.kind === 'wish') return this.#ask(happening.wish);
    const seen = new Promise<void>((resolve) => {
      this.#onProgress = resolve;
    });
    const { partition, counts } = happening;
    const inputs = MODELS.map((model, index) => [model, this.#nextInputs(`${model}/${partition}`, counts[index]!)]);
    await decide(this.#client, partition, Object.fromEntries(inputs));
    // The champion was among them: the app has something to tell. A wish meets it then in the middle of its work.
    await seen;
  }

  look(): void {
    this.#onProgress();
  }

  nothingIsLeft({ promotions, lag }: Progress): boolean {
    return promotions === this.wishes.length + 1 && lag === 0;
  }

  #ask(wish: Omit<Wish, 'id'>): Promise<void> {
    const id = `wish ${this.wishes.length}`;
    this.wishes.push(id);
    return command(this.#client, { ...wish, id });
  }

  /** Decisions are about trades, so not about every tick. */
  #nextInputs(place: string, count: number): number[] {
    const from = this.#decided.get(place) ?? 0;
    this.#decided.set(place, from + count);
    return Array.from({ length: count }, (_, index) => 3 * (from + index));
  }
}

/**
 * The app as its main runs it: dies as each fuse says and is started again, then lives until it is done.
 * @returns how often it died
 */
async function runThroughDeaths(
  address: string,
  lives: readonly Fuse[],
  done: (progress: Progress) => boolean,
): Promise<number> {
  const left = [...lives];
  let deaths = 0;
  const stop = new AbortController();
  await runResumably({
    signal: stop.signal,
    ...{ minBackoffMs: 1, maxBackoffMs: 1 },
    async run() {
      const client = await connect({ brokers: [address], clientId: 'decisions' });
      const fuse = left.shift();
      try {
        await runDecisions({
          client: fuse === undefined ? client : dyingClient(client, fuse),
          models: MODELS,
          signal: stop.signal,
          onProgress: (progress) => {
            if (done(progress)) stop.abort();
          },
        });
      } finally {
        await client.close();
      }
    },
    onInterrupted: () => {
      deaths++;
    },
  });
  return deaths;
}

test('whenever the app dies, live.decisions is what the audit stream makes of the versions’ own decisions', async () => {
  let deaths = 0;
  let changes = 0;
  await fc.assert(
    fc.asyncProperty(happenings, fuses, async (whatHappens, lives) => {
      const broker = await startEmbeddedBroker();
      const client = await connect({ brokers: [broker.address], clientId: 'test' });
      try {
        const world = new World(client);
        let allHappened = false;
        const dying = runThroughDeaths(broker.address, lives, (progress) => {
          world.look();
          return allHappened && world.nothingIsLeft(progress);
        });
        for (const happening of whatHappens) await world.letHappen(happening);
        allHappened = true;
        // Its last progress may be told already: one more wish has it tell another.
        await world.letHappen({ kind: 'wish', wish: { action: 'rollback' } });
        deaths += await dying;
        // A life that begins after everything has happened knows of all that is left to do.
        await runThroughDeaths(broker.address, [], (progress) => world.nothingIsLeft(progress));

        const audit = await readPromotions(client);
        changes += audit.filter(({ action }) => action === 'promote' || action === 'rollback').length;
        expect(audit.map(({ commandId }) => commandId)).toEqual([null, ...world.wishes]);
        for (const [index, entry] of audit.entries()) {
          expect(entry.previous).toBe(championOf(audit.slice(0, index)).champion);
        }
        expect(await liveDecisions(client)).toEqual(await decisionsByAudit(client, audit));
      } finally {
        await client.close();
        await broker.stop();
      }
    }),
    { numRuns: 3, endOnFailure: true },
  );
  expect(deaths).toBeGreaterThanOrEqual(8);
  expect(changes).toBeGreaterThanOrEqual(8);
}, 120_000);
