import type { Sequence } from './operations.ts';

/** So often a failing sequence is run again at most. */
const MAX_RUNS = 400;

/** Takes steps out of a failing sequence for as long as it still fails, in ever smaller pieces. */
export async function shrink(sequence: Sequence, fails: (sequence: Sequence) => Promise<boolean>): Promise<Sequence> {
  let smallest = sequence;
  let runs = 0;
  for (let size = sequence.operations.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < smallest.operations.length && runs < MAX_RUNS; ) {
      const operations = smallest.operations.filter((_, i) => i < at || i >= at + size);
      runs++;
      if (await fails({ ...smallest, operations })) smallest = { ...smallest, operations };
      else at += size;
    }
  }
  return smallest;
}
