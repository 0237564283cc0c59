import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { runWireRounds } from './many-rounds.ts';
import { startWithin } from './target.ts';

const SEED = 5_000;
const ROUNDS = 20;
/** A busy machine needs its time. */
const LIMIT_MS = 120_000;

test('whatever frames come in, only their own connections close, each with its reason, and what was acknowledged stays', {
  timeout: LIMIT_MS,
}, async () => {
  const found = await runWireRounds(SEED, ROUNDS, { parent: tmpdir(), start: startWithin });
  expect(found).toMatchObject({ rounds: ROUNDS, acknowledged: ROUNDS });
  expect(found.answered, 'no frame was sound').toBeGreaterThan(ROUNDS);
  expect(found.refused, 'no frame was refused').toBeGreaterThan(ROUNDS);
});
