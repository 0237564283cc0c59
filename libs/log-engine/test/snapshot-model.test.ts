import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogEngine, LogReader } from '../src/api.ts';
import { numberedBatch } from './batches.ts';
import { openEngine, readerOf, readSnapshot, valuesOf } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

const TOPICS = ['v.one', 'v.two', 'v.three'];
const PARTITIONS = 2;

type Operation =
  | { do: 'append'; topic: string; partition: number; records: number; durability: 'synced' | 'written' | 'none' }
  | { do: 'commit'; topic: string; offset: number }
  | { do: 'create' | 'delete'; topic: string }
  | { do: 'snapshot' };

const topic = fc.constantFrom(...TOPICS);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      topic,
      partition: fc.nat(PARTITIONS - 1),
      records: fc.integer({ min: 1, max: 6 }),
      durability: fc.constantFrom('synced' as const, 'written' as const, 'none' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('commit' as const), topic, offset: fc.nat(99) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('create' as const), topic }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), topic }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('snapshot' as const) }) },
);

/** Values of each partition of each topic, and the group's offset in each topic. */
interface Content {
  topics: Map<string, string[][]>;
  offsets: Map<string, bigint>;
}

/** The volume as plain arrays, and as it was after each change. */
class Model {
  #now: Content = { topics: new Map(), offsets: new Map() };
  readonly history: Content[] = [this.#now];

  get topics(): ReadonlySet<string> {
    return new Set(this.#now.topics.keys());
  }

  change(edit: (content: Content) => void): void {
    const topics = [...this.#now.topics].map(([name, logs]) => [name, logs.map((log) => [...log])] as const);
    this.#now = { topics: new Map(topics), offsets: new Map(this.#now.offsets) };
    edit(this.#now);
    this.history.push(this.#now);
  }
}

/** What is read, with as much of the model's content as retention has left. */
async function contentOf(reader: LogReader, modelled: Content): Promise<{ read: Content; expected: Content }> {
  const [read, expected]: Content[] = [0, 1].map(() => ({ topics: new Map(), offsets: new Map() }));
  for (const { name, partitionCount } of reader.topics()) {
    const logs = Array.from({ length: partitionCount }, (_, i) => readerOf(reader, name, i));
    read!.topics.set(name, await Promise.all(logs.map((log) => valuesOf(log))));
    const starts = logs.map((log) => Number(log.logStartOffset));
    expected!.topics.set(name, modelled.topics.get(name)?.map((log, i) => log.slice(starts[i])) ?? []);
  }
  for (const { topic: of, offset } of reader.committedOffsets('v.g')) read!.offsets.set(of, offset);
  for (const [name, logs] of modelled.topics) if (!expected!.topics.has(name)) expected!.topics.set(name, logs);
  for (const [of, offset] of modelled.offsets) expected!.offsets.set(of, offset);
  return { read: read!, expected: expected! };
}

/** Where in the model's history the end of each log, and so the cut, lies. */
function momentOf(reader: LogReader, model: Model, from: number, to: number): number[] {
  const ends = new Map(
    reader
      .topics()
      .map(({ name }) => [
        name,
        Array.from({ length: PARTITIONS }, (_, i) => Number(readerOf(reader, name, i).highWatermark)),
      ]),
  );
  const offsets = reader.committedOffsets('v.g').map(({ topic: of, offset }) => `${of} ${offset}`);
  const isAt = (content: Content): boolean =>
    content.topics.size === ends.size &&
    [...content.topics].every(([name, logs]) => logs.every((log, i) => ends.get(name)?.[i] === log.length)) &&
    [...content.offsets]
      .map(([of, offset]) => `${of} ${offset}`)
      .sort()
      .join() === offsets.sort().join();
  return model.history.flatMap((content, i) => (i >= from && i <= to && isAt(content) ? [i] : []));
}

interface Taken {
  name: string;
  /** Changes that had been asked for before the snapshot was, and by the time it was there. */
  from: number;
  to: number;
}

async function run(engine: LogEngine, model: Model, operations: Operation[]): Promise<Taken[]> {
  const pending: Promise<unknown>[] = [];
  const takings: Promise<Taken>[] = [];
  let serial = 0;
  for (const step of operations) {
    if (step.do === 'snapshot') {
      const [name, from] = [`v@s${takings.length}`, model.history.length - 1];
      const taking = engine.createSnapshot(name, {});
      takings.push(taking.then(() => ({ name, from, to: model.history.length - 1 })));
      continue;
    }
    const isThere = model.topics.has(step.topic);
    if (isThere !== (step.do !== 'create')) continue;
    if (step.do === 'append') {
      const label = `r${serial++}`;
      const values = Array.from({ length: step.records }, (_, i) => `${label}-${i}`);
      model.change(({ topics }) => topics.get(step.topic)![step.partition]!.push(...values));
      const log = engine.partition(step.topic, step.partition)!;
      pending.push(log.append(numberedBatch(label, step.records), step.durability));
    } else if (step.do === 'commit') {
      const offset = { topic: step.topic, partition: 0, offset: BigInt(step.offset), leaderEpoch: 0, metadata: '' };
      model.change(({ offsets }) => offsets.set(step.topic, offset.offset));
      await engine.commitOffsets('v.g', [offset]);
    } else if (step.do === 'create') {
      model.change(({ topics }) => topics.set(step.topic, [[], []]));
      await engine.createTopic(step.topic, { partitionCount: PARTITIONS });
    } else {
      await Promise.all(pending.splice(0));
      model.change(({ topics, offsets }) => {
        topics.delete(step.topic);
        offsets.delete(step.topic);
      });
      await engine.deleteTopic(step.topic);
    }
  }
  await Promise.all(pending);
  return Promise.all(takings);
}

async function check(operations: Operation[], quota: { volumeQuotaBytes?: number }): Promise<void> {
  const dataDir = temporaryFolder();
  const engine = await openEngine({ dataDir, segmentBytes: 1500, ...quota });
  const model = new Model();
  const creations = TOPICS.slice(0, 2).map((name) => ({ do: 'create' as const, topic: name }));
  try {
    const taken = await run(engine, model, [...creations, ...operations]);
    for (const { name, from, to } of taken) {
      const snapshot = await readSnapshot(dataDir, name);
      const moments = momentOf(snapshot, model, from, to);
      expect(moments, `${name} is no moment between ${from} and ${to}`).not.toEqual([]);
      const { read, expected } = await contentOf(snapshot, model.history[moments[0]!]!);
      expect(read).toEqual(expected);
      if (quota.volumeQuotaBytes === undefined) expect(expected).toEqual(model.history[moments[0]!]);
    }
  } finally {
    await engine.close();
  }
}

const sequences = fc.array(operation, { minLength: 20, maxLength: 100, size: 'max' });

/** Many flushes to disk: a slow one needs its time. */
const SLOW_DISK_MS = 180_000;

test('a snapshot, taken while writers go on, holds what a plain model held at one moment in between', {
  timeout: SLOW_DISK_MS,
}, async () => {
  await fc.assert(
    fc.asyncProperty(sequences, (operations) => check(operations, {})),
    { numRuns: 15 },
  );
});

test('the same while retention takes the oldest records', { timeout: SLOW_DISK_MS }, async () => {
  await fc.assert(
    fc.asyncProperty(sequences, (operations) => check(operations, { volumeQuotaBytes: 6_000 })),
    { numRuns: 15 },
  );
});
