/**
 * Random sequences of all that the engine can be asked for, on a disk that fails on purpose, beside a plain model.
 *
 *   npm run torture -- log [--seed N] [--rounds N] [--kills N]
 */
import { parseArgs } from 'node:util';
import { runSequences } from './many-sequences.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, rounds: { type: 'string' }, kills: { type: 'string' } },
});
const seed = Number(values.seed ?? 1);
const rounds = Number(values.rounds ?? 1000);

const startedAtMs = Date.now();
try {
  const tally = await runSequences(seed, rounds, { onProgress: (done) => progress('sequences', done, rounds) });
  process.stdout.write(
    `${tally.sequences} sequences, ${tally.operations} operations, ${Date.now() - startedAtMs} ms\n`,
  );
  for (const [what, count] of [...tally.injected].sort()) process.stdout.write(`  ${what}: ${count}\n`);
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function progress(what: string, done: number, of: number): void {
  if (done % 50 === 0 || done === of) process.stderr.write(`\r${what}: ${done} of ${of}${done === of ? '\n' : ''}`);
}
