import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  deleteSnapshot,
  type LogEngine,
  listSnapshots,
  openLogEngine,
  openSnapshot,
  type PartitionReader,
  verifySnapshot,
} from '@tickfold/log-engine';
import { SeededRandom } from '@tickfold/testkit/faulty-disk';
import { committedOf } from './committed.ts';
import { readWholeLog } from './found.ts';
import {
  type Acknowledged,
  COPY_GROUP,
  COPY_TOPIC,
  GROUP,
  IDEMPOTENT_TOPIC,
  SEGMENT_BYTES,
  TOPICS,
  valueAt,
} from './kill-target-facts.ts';
import { mustHold } from './violation.ts';

/** A data folder is killed so often before the next one begins empty. */
const KILLS_PER_FOLDER = 20;
const MOST_LINES = 250;

export interface KillTally {
  kills: number;
  /** Acknowledgements that were told before a kill, all of which were found afterwards. */
  acknowledged: number;
  snapshots: number;
  /** Times that the engine cut a torn tail off. */
  tornTails: number;
}

/**
 * Kills a writing process again and again, by `kill -9`, and opens what it leaves, on the machine's own disk.
 * @throws Violation
 */
export async function runKills(
  seed: number,
  kills: number,
  options: { parent: string; onProgress?: (done: number) => void },
): Promise<KillTally> {
  const random = new SeededRandom(seed);
  const tally: KillTally = { kills: 0, acknowledged: 0, snapshots: 0, tornTails: 0 };
  while (tally.kills < kills) {
    mkdirSync(options.parent, { recursive: true });
    const dataDir = mkdtempSync(join(resolve(options.parent), 'torture-'));
    try {
      for (let i = 0; i < KILLS_PER_FOLDER && tally.kills < kills; i++) {
        const told = await workUntilKilled(dataDir, tally.kills, 1 + random.below(MOST_LINES));
        await check(dataDir, told, tally);
        tally.kills++;
        tally.acknowledged += told.length;
        options.onProgress?.(tally.kills);
      }
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  }
  return tally;
}

/** Lets the process work until it has told so much, and kills it amid the next. */
async function workUntilKilled(dataDir: string, run: number, lines: number): Promise<Acknowledged[]> {
  const script = fileURLToPath(new URL('kill-target.js', import.meta.url));
  const child = spawn(process.execPath, [script, dataDir, String(run)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const told: Acknowledged[] = [];
  const gone = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    told.push(JSON.parse(line) as Acknowledged);
    if (told.length === lines) child.kill('SIGKILL');
  }
  const [, signal] = await gone;
  mustHold(signal === 'SIGKILL', 'unexplained', () => `the process ended by itself after ${told.length} lines`);
  return told;
}

async function check(dataDir: string, told: readonly Acknowledged[], tally: KillTally): Promise<void> {
  const engine = await openLogEngine({
    dataDir,
    segmentBytes: SEGMENT_BYTES,
    maintenanceIntervalMs: 0,
    onEvent: ({ kind, detail }) => {
      if (kind === 'truncated-tail') tally.tornTails++;
      mustHold(kind !== 'range-damaged', 'lost', () => detail);
    },
  });
  try {
    for (const topic of [...TOPICS, IDEMPOTENT_TOPIC]) await checkLog(engine, topic, told);
    await checkCopy(engine, told);
    await checkSnapshots(dataDir, told, tally);
  } finally {
    await engine.close();
  }
}

/** Nothing acknowledged is lost, nothing is doubled, and what is there is a prefix of what was sent. */
async function checkLog(engine: LogEngine, topic: string, told: readonly Acknowledged[]): Promise<void> {
  const acknowledged = told.flatMap((one) => ('topic' in one && one.topic === topic ? [one.lastOffset] : [])).at(-1);
  const log = engine.partition(topic, 0);
  if (log === undefined) return mustHold(acknowledged === undefined, 'lost', () => `there is no ${topic}`);
  const end = await checkPrefix(log);
  mustHold(end > (acknowledged ?? -1), 'lost', () => `${topic} ends at ${end}, ${acknowledged} was acknowledged`);
  if (!TOPICS.includes(topic) || acknowledged === undefined) return;
  const committed = engine.committedOffsets(GROUP).find((offset) => offset.topic === topic);
  const isThere = committed !== undefined && Number(committed.offset) >= acknowledged;
  mustHold(isThere, 'moved-back', () => `${GROUP} stands at ${committed?.offset} of ${topic}, not ${acknowledged}`);
}

/** Gives the log's end. */
async function checkPrefix(log: PartitionReader): Promise<number> {
  const { start, end, records } = await readWholeLog(log.topic, log, false);
  for (const { offset, value } of records) {
    mustHold(value === valueAt(log.topic, offset), 'doubled', () => `${log.topic}: ${value} at ${offset}`);
  }
  mustHold(start === 0, 'lost', () => `${log.topic} starts at ${start}`);
  return end;
}

/** A transactional copy has each record once, up to the position that moved with it. */
async function checkCopy(engine: LogEngine, told: readonly Acknowledged[]): Promise<void> {
  const copiedTo = told.flatMap((one) => ('copiedTo' in one ? [one.copiedTo] : [])).at(-1) ?? 0;
  const log = engine.partition(COPY_TOPIC, 0);
  const { values } = log === undefined ? { values: [] } : await committedOf(log);
  values.forEach((value, i) => {
    mustHold(value === valueAt(COPY_TOPIC, i), 'doubled', () => `${COPY_TOPIC}: ${value} instead of ${i}`);
  });
  const position = Number(engine.committedOffsets(COPY_GROUP)[0]?.offset ?? 0n);
  mustHold(
    position === values.length,
    'torn',
    () => `${values.length} records are copied, the position is ${position}`,
  );
  mustHold(position >= copiedTo, 'lost', () => `copied to ${position}, ${copiedTo} was acknowledged`);
}

async function checkSnapshots(dataDir: string, told: readonly Acknowledged[], tally: KillTally): Promise<void> {
  const deleted = new Set(told.flatMap((one) => ('deleting' in one ? [one.deleting] : [])));
  const names = new Set((await listSnapshots(dataDir)).map(({ name }) => name));
  for (const one of told) {
    if (!('snapshot' in one) || deleted.has(one.snapshot)) continue;
    mustHold(names.has(one.snapshot), 'lost', () => `there is no snapshot ${one.snapshot}`);
  }
  for (const name of names) {
    const { manifest, damages } = await verifySnapshot(dataDir, name);
    mustHold(damages.length === 0, 'diverged', () => `${name}: ${JSON.stringify(damages)}`);
    const snapshot = await openSnapshot(dataDir, name);
    try {
      for (const topic of snapshot.topics()) await checkPrefix(snapshot.partition(topic.name, 0)!);
      const end = Number(snapshot.partition(TOPICS[0]!, 0)?.highWatermark);
      mustHold(end >= Number(manifest.pins.atLeast), 'lost', () => `${name} ends at ${end}`);
    } finally {
      await snapshot.close();
    }
    tally.snapshots++;
    await deleteSnapshot(dataDir, name);
  }
}
