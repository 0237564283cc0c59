import { SeededRandom } from '@tickfold/testkit/faulty-disk';
import type { Operation, Setting } from './operations.ts';
import { Rig } from './rig.ts';
import { execute } from './run-sequence.ts';
import { makeTopics, replaceProducers } from './transaction-steps.ts';
import { Violation } from './violation.ts';

/** What is written small goes through every kind of segment quickly. */
const SETTING: Setting = {
  seed: 0,
  isLate: false,
  segmentBytes: 700,
  volumeQuotaBytes: undefined,
  reserveBytes: 0,
  visibility: 'synced',
};

const WRITES: Operation[] = [
  { do: 'create-topic', topic: 'a.one' },
  { do: 'create-topic', topic: 'a.keys' },
  { do: 'append', topic: 'a.one', partition: 0, records: 4, batches: 2, durability: 'synced', wait: true },
  { do: 'append', topic: 'a.keys', partition: 0, records: 6, batches: 3, durability: 'synced', wait: true },
  { do: 'commit', group: 'a.g', topic: 'a.one', partition: 0, wait: true },
];

/** Short scripts that together use everything that the engine writes with. */
export const SCRIPTS: Readonly<Record<string, Operation[]>> = {
  'topics, records, positions': [
    ...WRITES,
    { do: 'append-sequenced', topic: 'a.one', partition: 1, producer: 0, wait: true },
    { do: 'send-again', topic: 'a.one', partition: 1, producer: 0, wait: true },
    { do: 'alter-topic', topic: 'a.one', settings: { 'retention.bytes': '200' }, morePartitions: 1 },
    { do: 'delete-topic', topic: 'a.one' },
    { do: 'reopen' },
  ],
  transactions: [
    {
      do: 'transact',
      producer: 0,
      outcome: 'commit',
      records: [2, 3],
      movesOffset: true,
      isNewIncarnation: false,
      bumpsEpoch: false,
      wait: true,
    },
    {
      do: 'transact',
      producer: 0,
      outcome: 'abort',
      records: [1, 1],
      movesOffset: true,
      isNewIncarnation: false,
      bumpsEpoch: true,
      wait: true,
    },
    {
      do: 'transact',
      producer: 1,
      outcome: 'leave',
      records: [1, 2],
      movesOffset: true,
      isNewIncarnation: false,
      bumpsEpoch: false,
      wait: true,
    },
    {
      do: 'transact',
      producer: 1,
      outcome: 'commit',
      records: [1, 0],
      movesOffset: false,
      isNewIncarnation: true,
      bumpsEpoch: false,
      wait: true,
    },
  ],
  'retention, compaction, deletion': [
    ...WRITES,
    { do: 'append', topic: 'a.keys', partition: 0, records: 6, batches: 3, durability: 'synced', wait: true },
    { do: 'delete-records', topic: 'a.one', partition: 0, upTo: 0.7, wait: true },
    { do: 'maintain', wait: true },
    { do: 'append', topic: 'a.keys', partition: 0, records: 6, batches: 3, durability: 'synced', wait: true },
    { do: 'maintain', wait: true },
  ],
  'snapshots and files': [
    ...WRITES,
    { do: 'create-topic', topic: 'b.one' },
    { do: 'publish', volume: 'a', which: 1 },
    { do: 'snapshot', volumes: ['a', 'b'], wait: true },
    { do: 'append', topic: 'a.one', partition: 0, records: 4, batches: 1, durability: 'synced', wait: true },
    { do: 'unpublish', volume: 'a', which: 0 },
    { do: 'snapshot', volumes: ['a'], wait: true },
    { do: 'delete-snapshot', which: 0 },
    { do: 'read-snapshot', which: 0 },
  ],
  volumes: [
    ...WRITES,
    { do: 'adopt', volume: 'x', records: 3, finish: true },
    { do: 'adopt', volume: 'y', records: 3, finish: false },
    { do: 'delete-volume', volume: 'a' },
    { do: 'create-topic', topic: 'a.one' },
    { do: 'delete-volume', volume: 'x' },
  ],
};

/**
 * Runs a script once for each call that it makes to the disk, and lets the machine crash at that call, now with its
 * power and now without, and mostly once more at a call of the recovery. Gives the number of crashes.
 * @param step 1: at every call; 5: at every fifth
 * @throws Violation
 */
export async function crashAtEveryCall(script: readonly Operation[], seed: number, step = 1): Promise<number> {
  const calls = await callsOf(script, seed);
  let crashes = 0;
  for (let at = 1 + (seed % step); at <= calls; at += step) {
    crashes++;
    try {
      await crashAt(script, seed, at);
    } catch (error) {
      throw new Violation('unexplained', `seed ${seed}, crash at call ${at} of ${calls}: ${error}`, error);
    }
  }
  return crashes;
}

async function callsOf(script: readonly Operation[], seed: number): Promise<number> {
  const rig = await rigFor(seed);
  const before = rig.disk.calls;
  for (const operation of script) await execute(rig, operation);
  await rig.underWay.settled();
  const calls = rig.disk.calls - before;
  await rig.engine.close();
  return calls;
}

async function crashAt(script: readonly Operation[], seed: number, at: number): Promise<void> {
  const rig = await rigFor(seed + at);
  const random = new SeededRandom(seed + at);
  rig.disk.crashAfter(at);
  for (const operation of script) {
    if (rig.disk.isGone) break;
    try {
      await execute(rig, operation);
    } catch (error) {
      if (error instanceof Violation || !rig.isExplained(error)) throw error;
    }
  }
  const duringRecovery = random.chance(0.7) ? [1 + random.below(30), 1 + random.below(30)] : [];
  await rig.recover(random.chance(0.6), duringRecovery);
  await replaceProducers(rig);
  await rig.recover(true, []);
  await rig.engine.close();
}

async function rigFor(seed: number): Promise<Rig> {
  const rig = new Rig({ ...SETTING, seed }, false);
  await rig.open();
  await makeTopics(rig);
  return rig;
}
