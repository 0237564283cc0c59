import { setImmediate as nextTurn } from 'node:timers/promises';
import { EngineError, openSnapshot } from '@tickfold/log-engine';
import { explain } from '@tickfold/models';
import type { StreamClient } from '@tickfold/stream';
import { inProcessClient } from '@tickfold/volumes';
import { compareModels, isModelVolume } from './compare-models.ts';
import { compareByPosition } from './compare-positions.ts';
import type { ComparedVolume, CompareOptions } from './compared-volume.ts';
import type { FoundDifference } from './decision-tally.ts';
import { EvaluationError } from './errors.ts';
import { TickFinder, type TickLog } from './find-tick.ts';
import { describeModelSide, describeSide, lastRun } from './last-run.ts';
import type { Divergence, DivergentSide, VolumeDiff } from './volume-diff.ts';

export interface DiffOptions {
  /** Where the snapshots lie that a replay was made from: the ticks on which the two differ are shown from there. */
  dataDir: string;
  /** Read last for those ticks: a frozen output of the live model does not hold what it was made from. */
  market?: StreamClient;
  signal?: AbortSignal;
  /** Records read, of about how many. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

/**
 * Compares two volumes: what two models made of the same ticks, with the difference in profit; any other two, record by
 * record. Memory does not grow with their length.
 *
 * @throws EvaluationError `not-comparable`, `beginning-lost`, `different-inputs`, `unreadable-output`, `interrupted`
 * @throws StreamError
 */
export async function diffVolumes(a: ComparedVolume, b: ComparedVolume, options: DiffOptions): Promise<VolumeDiff> {
  const { signal, onProgress } = options;
  const compareOptions: CompareOptions = {
    onProgress,
    async onTurn() {
      await nextTurn();
      if (signal?.aborted) throw interrupted();
    },
  };
  if (!(await areModelVolumes(a, b))) {
    const sides = { a: await describeSide(a), b: await describeSide(b) };
    const topics = await compareByPosition(a, b, compareOptions);
    const equal = topics.every(({ differing }) => differing === 0);
    return { ...sides, equal, range: [], topics, kinds: [], first: null, firstAction: null, profit: null };
  }

  const runs = { a: await lastRun(a), b: await lastRun(b) };
  const sides = { a: await describeModelSide(a, runs.a), b: await describeModelSide(b, runs.b) };
  const found = await compareModels(a, b, compareOptions);
  const ticks = new TickFinder(
    [
      { client: a.client, run: runs.a },
      { client: b.client, run: runs.b },
      ...(options.market ? [{ client: options.market, run: undefined }] : []),
    ],
    (name, id) => openInput(options.dataDir, name, id),
  );
  try {
    const first = found.first && (await divergence(found.first, ticks));
    const firstAction = found.firstAction && (await divergence(found.firstAction, ticks));
    return {
      ...sides,
      equal: found.topics.every(({ differing }) => differing === 0),
      range: found.range.map(({ partition, toInput }) => ({ partition, toInput: String(toInput) })),
      topics: found.topics,
      kinds: found.kinds,
      first: first ?? null,
      firstAction: firstAction ?? null,
      profit: found.profit,
    };
  } finally {
    await ticks.close();
  }
}

async function areModelVolumes(a: ComparedVolume, b: ComparedVolume): Promise<boolean> {
  const [isModelA, isModelB] = [await isModelVolume(a), await isModelVolume(b)];
  if (isModelA === isModelB) return isModelA;
  const [model, other] = isModelA ? [a, b] : [b, a];
  throw new EvaluationError(
    'not-comparable',
    `${model.ref} was written by a model, ${other.ref} was not: there is nothing to compare.`,
    'Compare two volumes that models wrote, or two snapshots of one volume.',
  );
}

async function divergence(found: FoundDifference, ticks: TickFinder): Promise<Divergence> {
  const { kind, partition, inputOffset, source, eventTimeMs, a, b } = found;
  return {
    kind,
    partition,
    inputOffset: String(inputOffset),
    source,
    symbol: (a ?? b)!.symbol,
    eventTimeMs,
    tick: await ticks.find(found),
    a: divergentSide(a),
    b: divergentSide(b),
  };
}

function divergentSide(decision: FoundDifference['a']): DivergentSide {
  if (decision === undefined) return { decision: null, reason: 'Made no decision on this tick.' };
  return { decision: { ...decision }, reason: explain(decision) };
}

async function openInput(dataDir: string, name: string, id: string): Promise<TickLog | undefined> {
  try {
    const snapshot = await openSnapshot(dataDir, name);
    if (snapshot.manifest.id === id) return { client: inProcessClient(snapshot), close: () => snapshot.close() };
    await snapshot.close();
    return undefined;
  } catch (error) {
    if (error instanceof EngineError && error.code === 'unknown-snapshot') return undefined;
    throw error;
  }
}

function interrupted(): EvaluationError {
  return new EvaluationError('interrupted', 'The comparison was stopped.', 'Start it again.');
}
