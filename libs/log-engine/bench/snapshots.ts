import { deleteSnapshot, type LogEngine, openLogEngine, openSnapshot } from '@tickfold/log-engine';
import { type Figure, percentile, timeFigure } from '@tickfold/testkit/figures';
import { BIG_QUOTA_BYTES, BIG_VOLUME, type BigVolume } from './big-volume.ts';
import { encodeBatch } from './content.ts';
import { newFolder } from './setting.ts';
import { makeTopics, RECORDS_PER_SMALL_BATCH } from './topics.ts';
import { appendUntil, inTurn } from './writers.ts';

const SNAPSHOT = `${BIG_VOLUME}@bench`;
const SNAPSHOTS_PER_ROUND = 4;

/** Freezes a big volume and a small one, of as many topics, while 8 writers append durably. */
export async function measureSnapshots(volume: BigVolume): Promise<Figure[]> {
  await volume.make();
  const { setting } = volume;
  const count = setting.rounds * SNAPSHOTS_PER_ROUND;
  const big = await freeze(volume.dataDir, count, async () => undefined);
  const small = await freeze(newFolder('small'), count, (engine) =>
    fill(engine, setting.topics, setting.smallVolumeBytes),
  );
  const sizes = [setting.bigVolumeBytes, setting.smallVolumeBytes].map((bytes) => `${bytes / 1e6} MB`);
  return [
    timeFigure(`snapshot of ${sizes[0]} under load`, big.snapshotsMs, 100),
    timeFigure('the same, p99', [percentile(big.snapshotsMs, 0.99)]),
    timeFigure(`snapshot of ${sizes[1]} under load`, small.snapshotsMs, 100),
    timeFigure('synced appends meanwhile, p50', big.appendsMs),
    timeFigure('synced appends meanwhile, p99', [percentile(big.appendsMs, 0.99)]),
    timeFigure(`opening the snapshot of ${sizes[0]}`, big.openingsMs),
  ];
}

interface Frozen {
  snapshotsMs: number[];
  openingsMs: number[];
  /** Of the writers, while snapshots were taken. */
  appendsMs: number[];
}

async function freeze(dataDir: string, count: number, prepare: (engine: LogEngine) => Promise<void>): Promise<Frozen> {
  const engine = await openLogEngine({ dataDir, volumeQuotaBytes: BIG_QUOTA_BYTES });
  try {
    await prepare(engine);
    const frozen: Frozen = { snapshotsMs: [], openingsMs: [], appendsMs: [] };
    let isEnough = false;
    const load = appendUntil(
      () => isEnough,
      { ...writing, next: inTurn(logsOf(engine)) },
      (latencyMs) => frozen.appendsMs.push(latencyMs),
    );
    for (let i = 0; i < count; i++) {
      frozen.snapshotsMs.push(await timed(() => engine.createSnapshot(SNAPSHOT, {})));
      frozen.openingsMs.push(await timed(async () => (await openSnapshot(dataDir, SNAPSHOT)).close()));
      await deleteSnapshot(dataDir, SNAPSHOT);
    }
    isEnough = true;
    await load;
    return frozen;
  } finally {
    await engine.close();
  }
}

const writing = {
  writers: 8,
  durability: 'synced' as const,
  recordsPerBatch: RECORDS_PER_SMALL_BATCH,
  batchOf: encodeBatch,
};

async function fill(engine: LogEngine, topics: number, bytes: number): Promise<void> {
  const logs = await makeTopics(engine, BIG_VOLUME, topics);
  const filling = { ...writing, writers: 64, durability: 'written' as const, next: inTurn(logs) };
  await appendUntil(() => engine.volumes()[0]!.sizeBytes >= bytes, filling);
}

function logsOf(engine: LogEngine) {
  return engine.topics().map(({ name }) => engine.partition(name, 0)!);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}
