import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogEngine } from '../src/api.ts';
import { numberedBatch } from './batches.ts';
import { logOf, openEngine, type ReadRecord, readAll } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

const TOPICS = ['a.one', 'a.two', 'b.one'];
const SEGMENT_BYTES = 1500;

type Operation =
  | { do: 'create' | 'delete'; topic: string }
  | { do: 'append'; topic: string; partition: number; records: number; batches: number; durability: 'synced' | 'none' }
  | { do: 'commit'; group: string; topic: string; offset: bigint }
  | { do: 'forget'; group: string }
  | { do: 'read'; topic: string; partition: number; from: number; maxBytes: number }
  | { do: 'reopen' };

const topic = fc.constantFrom(...TOPICS);
const partition = fc.nat(1);
const group = fc.constantFrom('a.g', 'b.g', 'g');
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('create' as const), topic }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), topic }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      topic,
      partition,
      records: fc.integer({ min: 1, max: 8 }),
      batches: fc.integer({ min: 1, max: 3 }),
      durability: fc.constantFrom('synced' as const, 'none' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('commit' as const), group, topic, offset: fc.bigInt(0n, 99n) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), group }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      topic,
      partition,
      from: fc.nat(60),
      maxBytes: fc.nat(900),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'reopen' as const }) },
);

/** A log as plain as can be: arrays in memory. */
class Model {
  readonly topics = new Map<string, string[][]>();
  readonly groups = new Map<string, Map<string, bigint>>();

  partition(topicName: string, number: number): string[] | undefined {
    return this.topics.get(topicName)?.[number];
  }

  delete(topicName: string): void {
    this.topics.delete(topicName);
    for (const offsets of this.groups.values()) offsets.delete(topicName);
  }
}

async function runOn(engineOf: () => LogEngine, reopen: () => Promise<void>, model: Model, operations: Operation[]) {
  let labels = 0;
  for (const operation of operations) {
    const engine = engineOf();
    switch (operation.do) {
      case 'create':
        if (model.topics.has(operation.topic)) {
          const creating = engine.createTopic(operation.topic, { partitionCount: 2 });
          await expect(creating).rejects.toMatchObject({ code: 'topic-exists' });
        } else {
          await engine.createTopic(operation.topic, { partitionCount: 2 });
          model.topics.set(operation.topic, [[], []]);
        }
        break;
      case 'delete':
        if (!model.topics.has(operation.topic)) break;
        await engine.deleteTopic(operation.topic);
        model.delete(operation.topic);
        break;
      case 'append': {
        const log = model.partition(operation.topic, operation.partition);
        if (log === undefined) break;
        const names = Array.from({ length: operation.batches }, () => `r${labels++}`);
        const bytes = Buffer.concat(names.map((name) => numberedBatch(name, operation.records)));
        const target = logOf(engine, operation.topic, operation.partition);
        const { baseOffset } = await target.append(bytes, operation.durability);
        expect(baseOffset).toBe(BigInt(log.length));
        for (const name of names) for (let i = 0; i < operation.records; i++) log.push(`${name}-${i}`);
        break;
      }
      case 'commit': {
        const committed = {
          topic: operation.topic,
          partition: 0,
          offset: operation.offset,
          leaderEpoch: 0,
          metadata: '',
        };
        await engine.commitOffsets(operation.group, [committed]);
        const offsets = model.groups.get(operation.group) ?? new Map();
        model.groups.set(operation.group, offsets.set(operation.topic, operation.offset));
        break;
      }
      case 'forget':
        await engine.deleteGroupOffsets(operation.group);
        model.groups.delete(operation.group);
        break;
      case 'read': {
        const log = model.partition(operation.topic, operation.partition);
        if (log === undefined) break;
        const target = logOf(engine, operation.topic, operation.partition);
        const from = BigInt(Math.max(Math.min(operation.from, log.length), Number(target.logStartOffset)));
        const read = await readAll(target, from, operation.maxBytes);
        expectPartOf(log, read, from);
        break;
      }
      case 'reopen':
        await reopen();
        break;
    }
  }
}

function expectPartOf(log: string[], read: ReadRecord[], from: bigint): void {
  expect(read.map(({ offset }) => offset)).toEqual(read.map((_, i) => from + BigInt(i)));
  expect(read.map(({ value }) => value)).toEqual(read.map(({ offset }) => log[Number(offset)]));
}

/** Everything in the engine against everything in the model; what retention removed may be missing at the start. */
async function expectEqual(engine: LogEngine, model: Model, mayStartLater: boolean): Promise<void> {
  expect(
    engine
      .topics()
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...model.topics.keys()].sort());
  for (const [name, partitions] of model.topics) {
    for (const [number, log] of partitions.entries()) {
      const target = logOf(engine, name, number);
      const read = await readAll(target);
      const start = Number(target.logStartOffset);
      if (!mayStartLater) expect(start).toBe(0);
      expect(read.map(({ value }) => value)).toEqual(log.slice(start));
      expect(read.map(({ offset }) => Number(offset))).toEqual(log.slice(start).map((_, i) => start + i));
      expect(target.logEndOffset).toBe(BigInt(log.length));
    }
  }
  for (const [name, offsets] of model.groups) {
    const committed = engine.committedOffsets(name).map(({ topic: of, offset }) => [of, offset] as const);
    expect(new Map(committed)).toEqual(offsets);
  }
}

async function check(operations: Operation[], volumeQuotaBytes: number | undefined): Promise<void> {
  const options = {
    dataDir: temporaryFolder(),
    segmentBytes: SEGMENT_BYTES,
    ...(volumeQuotaBytes === undefined ? {} : { volumeQuotaBytes }),
  };
  let engine = await openEngine(options);
  const reopen = async () => {
    await engine.close();
    engine = await openEngine(options);
  };
  const model = new Model();
  try {
    await runOn(() => engine, reopen, model, operations);
    await reopen();
    await expectEqual(engine, model, volumeQuotaBytes !== undefined);
  } finally {
    await engine.close();
  }
}

/** Some two thousand flushes to disk: a slow one needs its time. */
const SLOW_DISK_MS = 180_000;
const sequences = fc.array(operation, { minLength: 10, maxLength: 80, size: 'max' });

test('after any sequence of operations the engine holds what a plain log in memory holds', {
  timeout: SLOW_DISK_MS,
}, async () => {
  await fc.assert(
    fc.asyncProperty(sequences, (operations) => check(operations, undefined)),
    { numRuns: 40 },
  );
});

test('the same with a quota, which takes only the oldest records', { timeout: SLOW_DISK_MS }, async () => {
  await fc.assert(
    fc.asyncProperty(sequences, (operations) => check(operations, 6_000)),
    { numRuns: 40 },
  );
});
