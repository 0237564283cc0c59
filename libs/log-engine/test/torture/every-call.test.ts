import { expect, test } from 'vitest';
import { crashAtEveryCall, SCRIPTS } from './every-call.ts';

const SEED = 77;
/** At every fifth call; `npm run torture -- log` takes them all. */
const STEP = 5;
/** A busy machine needs its time. */
const LIMIT_MS = 120_000;

test.each(Object.entries(SCRIPTS))(
  'a crash at any call to the disk, and again during recovery, takes nothing that was promised: %s',
  async (_, script) => {
    expect(await crashAtEveryCall(script, SEED, STEP)).toBeGreaterThan(20);
  },
  LIMIT_MS,
);
