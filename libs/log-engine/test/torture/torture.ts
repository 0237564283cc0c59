/**
 * Random sequences of all that the engine can be asked for, on a disk that fails on purpose, beside a plain model; crashes
 * at every call of short scripts; and real kills of a writing process.
 *
 *   npm run torture -- log [--seed N] [--rounds N] [--kills N]
 *
 * TORTURE_DIR (default: the current folder) is where the killed processes write.
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { crashAtEveryCall, SCRIPTS } from './every-call.ts';
import { runKills } from './kills.ts';
import { runSequences } from './many-sequences.ts';

/** The scripts are gone through once more for so many sequences, with other chances. */
const ROUNDS_A_PASS = 2500;
const DEFAULTS = { seed: 1, rounds: 1000, kills: 20 };

const { values } = parseArgs({
  options: { seed: { type: 'string' }, rounds: { type: 'string' }, kills: { type: 'string' } },
});
const [seed, rounds, kills] = (['seed', 'rounds', 'kills'] as const).map((name) => wholeNumber(name)) as [
  number,
  number,
  number,
];

try {
  const table: [string, string | number][] = [
    ['machine', describeMachine()],
    ['date', new Date().toISOString()],
    ['seed', seed],
  ];
  const sequences = await timed(() =>
    runSequences(seed, rounds, { onProgress: (done) => progress('sequences', done, rounds) }),
  );
  table.push(['sequences', `${sequences.result.sequences}, in ${sequences.seconds} s`]);
  table.push(['operations', sequences.result.operations]);
  for (const [what, count] of [...sequences.result.injected].sort()) table.push([`  ${what}`, count]);
  const crashes = await timed(() => (rounds === 0 ? Promise.resolve(0) : crashScripts()));
  table.push(['crashes at every call of scripts', `${crashes.result}, in ${crashes.seconds} s`]);
  const parent = process.env.TORTURE_DIR ?? '.';
  const killed = await timed(() =>
    runKills(seed, kills, { parent, onProgress: (done) => progress('kills', done, kills) }),
  );
  table.push(['kill -9 of a writing process', `${killed.result.kills}, in ${killed.seconds} s`]);
  table.push(['  acknowledgements, none lost', killed.result.acknowledged]);
  table.push(['  snapshots verified', killed.result.snapshots]);
  table.push(['  torn tails cut', killed.result.tornTails]);
  const width = Math.max(...table.map(([name]) => name.length));
  for (const [name, value] of table) process.stdout.write(`${name.padEnd(width)}  ${value.toLocaleString('en')}\n`);
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}

async function crashScripts(): Promise<number> {
  let crashes = 0;
  for (const [i, [name, script]] of Object.entries(SCRIPTS).entries()) {
    progress(`scripts (${name})`, i + 1, Object.keys(SCRIPTS).length);
    for (let pass = 0; pass * ROUNDS_A_PASS <= rounds; pass++) crashes += await crashAtEveryCall(script, seed + pass);
  }
  return crashes;
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: string }> {
  const startedAtMs = Date.now();
  const result = await work();
  return { result, seconds: ((Date.now() - startedAtMs) / 1000).toFixed(1) };
}

/** One line that changes, for a person who looks on; a log of the run gets the end only. */
function progress(what: string, done: number, of: number): void {
  if (done === of || (process.stderr.isTTY && done % 10 === 0))
    process.stderr.write(`\r${what}: ${done} of ${of}${done === of ? '\n' : ''}`);
}

function wholeNumber(name: keyof typeof DEFAULTS): number {
  const value = Number(values[name] ?? DEFAULTS[name]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`tickfold: --${name} is "${values[name]}".\nMend: give a whole number from 0.\n`);
  process.exit(2);
}

function describeMachine(): string {
  const [cpu] = cpus();
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${memoryGiB} GiB, Node.js ${process.versions.node}, ${process.platform}`;
}
