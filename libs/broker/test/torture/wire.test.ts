import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { runWireRounds } from './many-rounds.ts';
import { runStorm } from './storms.ts';
import { startWithin } from './target.ts';

const SEED = 5_000;
const ROUNDS = 8;
/** A busy machine needs its time. */
const LIMIT_MS = 300_000;

test('whatever frames come in, only their own connections close, each with its reason, and what was acknowledged stays', {
  timeout: LIMIT_MS,
}, async () => {
  const found = await runWireRounds(SEED, ROUNDS, { parent: tmpdir(), start: startWithin });
  expect(found).toMatchObject({ rounds: ROUNDS, acknowledged: ROUNDS });
  expect(found.answered, 'no frame was sound').toBeGreaterThan(ROUNDS);
  // Few of a busy broker: most clients have gone by then.
  expect(found.refused, 'no frame was refused').toBeGreaterThan(0);
});

test.each(['more connections than there is room for', 'requests for everything, over thousands of topics'] as const)(
  '%s: a sound client is served meanwhile, memory stays bounded',
  { timeout: LIMIT_MS },
  async (name) => {
    const { seen } = await runStorm(name, tmpdir(), startWithin);
    expect(seen).toContain('longest wait');
  },
);
