import type { Durability, Visibility } from '@tickfold/log-engine';
import type { Fault, SeededRandom } from '@tickfold/testkit/faulty-disk';
import type { Transact } from './transaction-steps.ts';

interface Place {
  topic: string;
  partition: number;
}

export interface Append extends Place {
  records: number;
  batches: number;
  durability: Durability;
  wait: boolean;
}

/** One step of a sequence. Plain data: a failing sequence is printed, and steps are taken out of it. */
export type Operation =
  | { do: 'create-topic' | 'delete-topic'; topic: string }
  | { do: 'alter-topic'; topic: string; settings: Record<string, string> | undefined; morePartitions: number }
  | ({ do: 'append' } & Append)
  | { do: 'burst'; topic: string; writers: number; records: number; durability: Durability }
  | ({ do: 'append-sequenced' | 'send-again' | 'leave-gap'; producer: number; wait: boolean } & Place)
  | ({ do: 'commit'; group: string; wait: boolean } & Place)
  | { do: 'forget-group'; group: string }
  | ({ do: 'read'; from: number; maxBytes: number } & Place)
  | ({ do: 'find-time'; at: number } & Place)
  | ({ do: 'delete-records'; upTo: number; wait: boolean } & Place)
  | ({ do: 'transact' } & Transact)
  | { do: 'zombie'; producer: number }
  | { do: 'maintain'; wait: boolean }
  | { do: 'snapshot'; volumes: string[]; wait: boolean }
  | { do: 'read-snapshot' | 'delete-snapshot' | 'move-snapshot' | 'restore'; which: number }
  | { do: 'publish' | 'unpublish'; volume: string; which: number }
  | { do: 'adopt'; volume: string; records: number; finish: boolean }
  | { do: 'delete-volume'; volume: string }
  | { do: 'settle' }
  | { do: 'turn-clock'; byMs: number }
  | { do: 'fail'; fault: Fault }
  | { do: 'fill-disk'; roomBytes: number }
  | { do: 'heal' }
  | { do: 'reopen' }
  | { do: 'crash'; losesPower: boolean; duringRecovery: number[] }
  | { do: 'crash-soon'; calls: number };

/** How the engine and its disk are set up for a sequence. */
export interface Setting {
  seed: number;
  isLate: boolean;
  segmentBytes: number;
  volumeQuotaBytes: number | undefined;
  /** Room that is kept for what makes room; 0 lets the system's own error come. */
  reserveBytes: number;
  visibility: Visibility;
}

export interface Sequence {
  setting: Setting;
  operations: Operation[];
}

/** Volumes `a` and `b`, and `default`; groups lie in the volume of their name. */
const TOPICS = ['a.one', 'a.two', 'a.keys', 'b.one', 'plain'];
/** Of these only the last value of a key stays. */
export const COMPACTED_TOPICS: readonly string[] = ['a.keys'];
const STAGED = ['x', 'y'];
const GROUPS = ['a.g', 'b.g', 'g'];
const VOLUMES = ['a', 'b', 'default'];
export const PARTITIONS = 2;
const MAX_PARTITIONS = 3;
const PRODUCERS = 2;
const DURABILITIES: Durability[] = ['synced', 'synced', 'written', 'none'];
const HOUR_MS = 3_600_000;
/** What topics are altered to; undefined leaves their settings. */
const SETTINGS: (Record<string, string> | undefined)[] = [
  undefined,
  {},
  { 'retention.ms': String(12 * HOUR_MS) },
  { 'retention.bytes': '1500' },
  { 'segment.ms': String(HOUR_MS) },
];

const FAULTS: Omit<Fault, 'after'>[] = [
  { call: 'sync', code: 'EIO' },
  { call: 'sync', code: 'EIO', path: '.segment' },
  { call: 'write', code: 'EIO' },
  { call: 'write', code: 'ENOSPC' },
  { call: 'create', code: 'ENOSPC' },
  { call: 'create', code: 'EMFILE' },
  { call: 'open', code: 'EMFILE', times: 3 },
  { call: 'rename', code: 'EIO' },
  { call: 'syncFolder', code: 'EIO' },
  { call: 'link', code: 'ENOSPC' },
  { call: 'read', code: 'EIO' },
  { call: 'makeFolder', code: 'ENOSPC' },
  { call: 'remove', code: 'EIO' },
  { call: 'removeFolder', code: 'EIO' },
  { call: 'list', code: 'EIO' },
];

/** How often each operation comes, and how one is made. */
const MAKERS: [weight: number, make: (random: SeededRandom) => Operation][] = [
  [4, (random) => ({ do: 'create-topic', topic: random.pick(TOPICS) })],
  [1, (random) => ({ do: 'delete-topic', topic: random.pick(TOPICS) })],
  [1.5, someAlteration],
  [24, (random) => ({ do: 'append', ...someAppend(random) })],
  [4, someBurst],
  [6, (random) => ({ do: 'append-sequenced', ...someSequenced(random) })],
  [3, (random) => ({ do: 'send-again', ...someSequenced(random) })],
  [0.5, (random) => ({ do: 'leave-gap', ...someSequenced(random) })],
  [5, (random) => ({ do: 'commit', group: random.pick(GROUPS), ...somePlace(random), wait: random.chance(0.5) })],
  [1, (random) => ({ do: 'forget-group', group: random.pick(GROUPS) })],
  [6, (random) => ({ do: 'read', ...somePlace(random), from: random.next(), maxBytes: random.below(1500) })],
  [2, (random) => ({ do: 'find-time', ...somePlace(random), at: random.next() })],
  [1.5, (random) => ({ do: 'delete-records', ...somePlace(random), upTo: random.next(), wait: random.chance(0.5) })],
  [6, (random) => ({ do: 'transact', ...someTransaction(random) })],
  [0.7, (random) => ({ do: 'zombie', producer: random.below(PRODUCERS) })],
  [2.5, (random) => ({ do: 'maintain', wait: random.chance(0.5) })],
  [2, (random) => ({ do: 'snapshot', volumes: someVolumes(random), wait: random.chance(0.5) })],
  [2, (random) => ({ do: 'read-snapshot', which: random.next() })],
  [1, (random) => ({ do: 'delete-snapshot', which: random.next() })],
  [0.7, (random) => ({ do: 'move-snapshot', which: random.next() })],
  [1, (random) => ({ do: 'restore', which: random.next() })],
  [1, (random) => ({ do: 'publish', volume: random.pick(VOLUMES), which: random.below(4) })],
  [0.5, (random) => ({ do: 'unpublish', volume: random.pick(VOLUMES), which: random.next() })],
  [
    1,
    (random) => ({
      do: 'adopt',
      volume: random.pick(STAGED),
      records: 1 + random.below(9),
      finish: random.chance(0.9),
    }),
  ],
  [0.7, (random) => ({ do: 'delete-volume', volume: random.pick([...VOLUMES, ...STAGED]) })],
  [2, () => ({ do: 'settle' })],
  [1.5, (random) => ({ do: 'turn-clock', byMs: Math.round((random.next() - 0.4) * 24 * HOUR_MS) })],
  [2.5, (random) => ({ do: 'fail', fault: { ...random.pick(FAULTS), after: random.below(4) } })],
  [0.8, (random) => ({ do: 'fill-disk', roomBytes: random.below(3000) })],
  [1, () => ({ do: 'heal' })],
  [1.2, () => ({ do: 'reopen' })],
  [3, (random) => ({ do: 'crash', losesPower: random.chance(0.4), duringRecovery: someCrashes(random) })],
  [2.5, (random) => ({ do: 'crash-soon', calls: 1 + random.below(40) })],
];

const TOTAL_WEIGHT = MAKERS.reduce((sum, [weight]) => sum + weight, 0);

/** A sequence that follows from the numbers that `random` gives. Most topics are there from its start. */
export function someSequence(random: SeededRandom): Sequence {
  const setting: Setting = {
    seed: random.below(2 ** 32),
    isLate: random.chance(0.7),
    segmentBytes: random.pick([700, 1500, 4000, 1_000_000]),
    volumeQuotaBytes: random.chance(0.25) ? 24_000 : undefined,
    reserveBytes: random.pick([0, 0, 4000]),
    visibility: random.chance(0.85) ? 'synced' : 'written',
  };
  const start = TOPICS.slice(0, 4).map((topic): Operation => ({ do: 'create-topic', topic }));
  const count = 15 + random.below(45);
  return { setting, operations: [...start, ...Array.from({ length: count }, () => someOperation(random))] };
}

function someOperation(random: SeededRandom): Operation {
  let rest = random.next() * TOTAL_WEIGHT;
  for (const [weight, make] of MAKERS) {
    rest -= weight;
    if (rest < 0) return make(random);
  }
  return { do: 'settle' };
}

function someAppend(random: SeededRandom): Append {
  return {
    ...somePlace(random),
    records: 1 + random.below(6),
    batches: random.chance(0.8) ? 1 : 1 + random.below(3),
    durability: random.pick(DURABILITIES),
    wait: random.chance(0.4),
  };
}

function someBurst(random: SeededRandom): Operation {
  return {
    do: 'burst',
    topic: random.pick(TOPICS),
    writers: 2 + random.below(8),
    records: 1 + random.below(3),
    durability: random.pick(DURABILITIES),
  };
}

function someAlteration(random: SeededRandom): Operation {
  return {
    do: 'alter-topic',
    topic: random.pick(TOPICS),
    settings: random.pick(SETTINGS),
    morePartitions: random.chance(0.2) ? 1 : 0,
  };
}

function someSequenced(random: SeededRandom): Place & { producer: number; wait: boolean } {
  return { ...somePlace(random), producer: random.below(PRODUCERS), wait: random.chance(0.4) };
}

function someTransaction(random: SeededRandom): Transact {
  return {
    producer: random.below(PRODUCERS),
    outcome: random.pick(['commit', 'commit', 'commit', 'abort', 'leave']),
    records: [random.below(4), random.below(4)],
    movesOffset: random.chance(0.5),
    isNewIncarnation: random.chance(0.2),
    bumpsEpoch: random.chance(0.3),
    wait: random.chance(0.5),
  };
}

function somePlace(random: SeededRandom): Place {
  return { topic: random.pick(TOPICS), partition: random.below(MAX_PARTITIONS) };
}

/** The first names the snapshot; mostly it is the only one. */
function someVolumes(random: SeededRandom): string[] {
  const first = random.pick(VOLUMES);
  return random.chance(0.6) ? [first] : [first, ...VOLUMES.filter((other) => other !== first && random.chance(0.6))];
}

/** Mostly none; else calls after which recovery is cut short, each time anew. */
function someCrashes(random: SeededRandom): number[] {
  if (random.chance(0.6)) return [];
  return Array.from({ length: 1 + random.below(3) }, () => 1 + random.below(25));
}
