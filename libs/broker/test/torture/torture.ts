/**
 * Damaged, invented and hostile frames against a broker that runs as a process of its own, beside a client in its right
 * mind; storms of connections; groups whose members are killed.
 *
 *   npm run torture -- wire [--seed N] [--rounds N] [--rebalances N]
 *
 * TORTURE_DIR (default: the current folder) is where the broker keeps its data.
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { runWireRounds } from './many-rounds.ts';
import { runRebalances } from './rebalances.ts';
import { runStorms } from './storms.ts';
import { startProcess } from './target.ts';

const DEFAULTS = { seed: 1, rounds: 1_000, rebalances: 100 };

const { values } = parseArgs({
  options: { seed: { type: 'string' }, rounds: { type: 'string' }, rebalances: { type: 'string' } },
});
const [seed, rounds, rebalances] = [wholeNumber('seed'), wholeNumber('rounds'), wholeNumber('rebalances')];

try {
  const parent = process.env.TORTURE_DIR ?? '.';
  const table: [string, string | number][] = [
    ['machine', describeMachine()],
    ['date', new Date().toISOString()],
    ['seed', seed],
  ];
  const fuzz = await timed(() =>
    runWireRounds(seed, rounds, {
      parent,
      start: startProcess,
      onProgress: (done) => progress('rounds', done, rounds),
    }),
  );
  const found = fuzz.result;
  table.push(['rounds', `${found.rounds}, in ${fuzz.seconds} s`]);
  table.push(['  frames through the codecs alone', found.codecFrames]);
  table.push(['  frames sent to the broker', found.sent]);
  table.push(['    answered', found.answered]);
  table.push(['  connections', found.connections]);
  table.push(['    closed by the broker, each with its reason', found.refused]);
  table.push(['  restarts, every other by kill -9', found.restarts]);
  table.push(['  records acknowledged meanwhile, none lost', found.acknowledged]);
  table.push(['  longest wait of a sound request (ms)', found.slowestMs]);
  table.push(['  most memory of the broker (MiB)', Math.round(found.mostMemoryBytes / 2 ** 20)]);
  const storms = await timed(() => (rounds === 0 ? Promise.resolve([]) : runStorms(parent, startProcess)));
  table.push(['storms', `${storms.result.length}, in ${storms.seconds} s`]);
  for (const { name, seen } of storms.result) table.push([`  ${name}`, seen]);
  if (rebalances > 0) {
    const onProgress = (done: number): void => progress('rebalances', done, rebalances);
    const churn = await timed(() => runRebalances(seed, rebalances, { parent, onProgress }));
    const { killed, left, records, again, longestMs } = churn.result;
    table.push(['rebalances of a group under load', `${churn.result.rebalances}, in ${churn.seconds} s`]);
    table.push(['  members killed with kill -9', killed]);
    table.push(['  members that left', left]);
    table.push(['  records, each processed', records]);
    table.push(['  processed again', again]);
    table.push(['  longest way to a new division (ms)', longestMs]);
  }
  const width = Math.max(...table.map(([name]) => name.length));
  for (const [name, value] of table) process.stdout.write(`${name.padEnd(width)}  ${value.toLocaleString('en')}\n`);
} catch (error) {
  process.stderr.write(`\n${describe(error)}\n`);
  process.exitCode = 1;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\n${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: string }> {
  const startedAtMs = Date.now();
  const result = await work();
  return { result, seconds: ((Date.now() - startedAtMs) / 1000).toFixed(1) };
}

function progress(what: string, done: number, of: number): void {
  if (done % 10 === 0 || done === of) process.stderr.write(`\r${what}: ${done} of ${of}${done === of ? '\n' : ''}`);
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
