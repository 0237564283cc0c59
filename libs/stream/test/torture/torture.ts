/**
 * Processors and the broker under them, killed again and again while records pass through.
 *
 *   npm run torture -- stream [--seed N] [--kills N] [--records N]
 *
 * TORTURE_DIR (default: the current folder) is where the broker keeps its data.
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { runKills } from './kills.ts';

const DEFAULTS = { seed: 1, kills: 100, records: 1_000_000 };

const { values } = parseArgs({
  options: { seed: { type: 'string' }, kills: { type: 'string' }, records: { type: 'string' } },
});
const given = (name: keyof typeof DEFAULTS): number =>
  values[name] === undefined ? DEFAULTS[name] : Number(values[name]);
const plan = { kills: given('kills'), records: given('records'), parent: process.env.TORTURE_DIR ?? '.' };
const seed = given('seed');

try {
  const startedAtMs = Date.now();
  const found = await runKills(seed, {
    ...plan,
    onProgress: (done) => process.stderr.write(`\rkills: ${done} of ${plan.kills}`),
  });
  const seconds = ((Date.now() - startedAtMs) / 1_000).toFixed(1);
  const table: [string, string | number][] = [
    [
      'machine',
      `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.version}`,
    ],
    ['date', new Date().toISOString()],
    ['seed', seed],
    ['records, each with one output, in order and counted', `${found.records.toLocaleString('en')}, in ${seconds} s`],
    ['kill -9 of the broker', found.brokerKills],
    ['kill -9 of an instance', found.instanceKills],
    ['instances that slept through their session', found.pauses],
    ['longest stall (ms)', found.longestStallMs],
  ];
  const width = Math.max(...table.map(([name]) => name.length));
  process.stderr.write('\n');
  for (const [name, value] of table) process.stdout.write(`${name.padEnd(width)}  ${value}\n`);
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}
