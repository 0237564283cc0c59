import { type Figure, percentile, rateFigure, timeFigure } from '@tickfold/testkit/figures';
import { encodeBatch } from './content.ts';
import { type Setting, withEngine } from './setting.ts';
import { makeTopics } from './topics.ts';
import { appendAtRate, appendFor, inTurn, type Writing, type Written } from './writers.ts';

const RECORDS_PER_BATCH = 500;
/** The rate that has to be held with few late ones; at full speed the disk is never idle, and all wait for it. */
const HELD_RATE = 1_000_000;

/** Batches of 500 and single records, encoded inside the timed part unless the name says otherwise. */
export async function measureAppends(setting: Setting): Promise<Figure[]> {
  const ready = encodeBatch(RECORDS_PER_BATCH);
  const batches = { writers: 8, recordsPerBatch: RECORDS_PER_BATCH, batchOf: encodeBatch };
  const written = await rounds(setting, { ...batches, durability: 'written' });
  const encodedBefore = await rounds(setting, { ...batches, durability: 'written', batchOf: () => ready });
  const synced = await rounds(setting, { ...batches, durability: 'synced' });
  const held = await rounds(setting, { ...batches, durability: 'synced' }, (writing) =>
    appendAtRate(setting.roundMs, HELD_RATE, writing),
  );
  const single = await rounds(setting, { ...batches, writers: 64, recordsPerBatch: 1, durability: 'synced' });
  return [
    ...figuresOf('append, batches of 500, written', written, { recordsPerSecond: 2_500_000 }),
    ...figuresOf('the same, encoded before', encodedBefore, {}),
    ...figuresOf('append, batches of 500, synced, 8 writers', synced, { recordsPerSecond: HELD_RATE, p99Ms: 25 }),
    ...figuresOf('the same at 1,000,000 records/s', held, { p99Ms: 10 }),
    ...figuresOf('append, single records, synced, 64 writers', single, { recordsPerSecond: 50_000 }),
  ];
}

function rounds(
  setting: Setting,
  writing: Omit<Writing, 'next'>,
  round = (all: Writing): Promise<Written> => appendFor(setting.roundMs, all),
): Promise<Written[]> {
  return withEngine({}, async (engine) => {
    const next = inTurn(await makeTopics(engine, 'bench', 1));
    const all: Written[] = [];
    while (all.length < setting.rounds) all.push(await round({ ...writing, next }));
    return all;
  });
}

function figuresOf(name: string, all: Written[], bounds: { recordsPerSecond?: number; p99Ms?: number }): Figure[] {
  const share = (part: number): number[] => all.map(({ latenciesMs }) => percentile(latenciesMs, part));
  return [
    rateFigure(
      name,
      all.map(({ recordsPerSecond }) => recordsPerSecond),
      bounds.recordsPerSecond,
    ),
    timeFigure(`${name}, p50`, share(0.5)),
    timeFigure(`${name}, p99`, share(0.99), bounds.p99Ms),
  ];
}
