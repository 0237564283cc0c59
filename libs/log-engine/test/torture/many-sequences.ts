import { SeededRandom } from '@tickfold/testkit/faulty-disk';
import { type Sequence, someSequence } from './operations.ts';
import { type RunOptions, runSequence } from './run-sequence.ts';
import { shrink } from './shrink.ts';
import { Violation } from './violation.ts';

/** Far more than a sequence takes: a call that never returns is a failure as well. */
const LIMIT_MS = 10_000;

export interface Failure {
  /** Of `npm run torture -- log --seed N --rounds 1`. */
  seed: number;
  error: unknown;
  /** What is left of the sequence without all that its failure does not need. */
  sequence: Sequence;
}

export interface Tally {
  sequences: number;
  operations: number;
  /** How often each fault was injected. */
  injected: Map<string, number>;
}

/**
 * Runs so many sequences, each from a seed of its own, the first from `seed`.
 * @throws SequenceFailed at the first that fails, shrunk
 */
export async function runSequences(
  seed: number,
  rounds: number,
  options: RunOptions & { onProgress?: (done: number) => void } = {},
): Promise<Tally> {
  const tally: Tally = { sequences: 0, operations: 0, injected: new Map() };
  for (let round = 0; round < rounds; round++) {
    const sequence = someSequence(new SeededRandom(seed + round));
    try {
      const injected = await withinLimit(runSequence(sequence, options));
      for (const [what, count] of injected) tally.injected.set(what, (tally.injected.get(what) ?? 0) + count);
    } catch (error) {
      throw await failureOf(seed + round, sequence, error, options);
    }
    tally.sequences++;
    tally.operations += sequence.operations.length;
    options.onProgress?.(round + 1);
  }
  return tally;
}

export class SequenceFailed extends Error {
  override readonly name = 'SequenceFailed';
  readonly failure: Failure;

  constructor(failure: Failure) {
    const { seed, error, sequence } = failure;
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const steps = sequence.operations.map((operation) => `  ${JSON.stringify(operation)}`);
    super(`seed ${seed}: ${reason}\n${JSON.stringify(sequence.setting)}\n${steps.join('\n')}`, { cause: error });
    this.failure = failure;
  }
}

async function failureOf(
  seed: number,
  sequence: Sequence,
  error: unknown,
  options: RunOptions,
): Promise<SequenceFailed> {
  let smallestError = error;
  const fails = async (other: Sequence): Promise<boolean> => {
    try {
      await withinLimit(runSequence(other, options));
      return false;
    } catch (found) {
      if (anomalyOf(found) !== anomalyOf(error)) return false;
      smallestError = found;
      return true;
    }
  };
  // One that does not end would take too long to be run again and again.
  const smallest = error instanceof NoEnd ? sequence : await shrink(sequence, fails);
  return new SequenceFailed({ seed, error: smallestError, sequence: smallest });
}

class NoEnd extends Error {
  override readonly name = 'NoEnd';
}

function anomalyOf(error: unknown): string {
  if (error instanceof Violation) return error.anomaly;
  return error instanceof Error ? error.name : String(error);
}

async function withinLimit<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoEnd(`no end within ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
