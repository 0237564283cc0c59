import { expect, test } from 'vitest';
import { runSequences, SequenceFailed } from './many-sequences.ts';

const SEED = 20_150;
const ROUNDS = 100;
const CANARY_ROUNDS = 100;
/** A busy machine needs its time. */
const LIMIT_MS = 120_000;

test('after any sequence of operations, faults and crashes the engine holds what a plain model holds', {
  timeout: LIMIT_MS,
}, async () => {
  const { sequences, injected } = await runSequences(SEED, ROUNDS);
  expect(sequences).toBe(ROUNDS);
  for (const fault of ['kill', 'power loss', 'disk full', 'EIO of sync', 'EMFILE of open', 'ENOSPC of write']) {
    expect(injected.get(fault), `${fault} was never injected`).toBeGreaterThan(0);
  }
});

test('the canary: on a disk whose syncs do nothing the checker finds what was lost', {
  timeout: LIMIT_MS,
}, async () => {
  const error = await runSequences(SEED, CANARY_ROUNDS, { syncIsALie: true }).catch((failed: unknown) => failed);
  expect(error).toBeInstanceOf(SequenceFailed);
  expect((error as SequenceFailed).message).toMatch(
    /seed \d+: (Violation: (lost|reordered)|.*journal-damaged|EngineError)/,
  );
});
