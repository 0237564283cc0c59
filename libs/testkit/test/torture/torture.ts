/**
 * The whole system on a cluster that fails: three brokers of Apache Kafka, replication 3, `min.insync.replicas` 2, killed
 * and restarted one after another while a simulated day passes.
 *
 *   npm run torture -- cluster [--seed N] [--kills N] [--rate N] [--speed N]
 *
 * TORTURE_DIR (default: the current folder) is where all data is kept meanwhile.
 */
import { mkdir } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { fetchApacheKafka } from '@tickfold/testkit/apache-kafka';
import { runOnFailingCluster } from './cluster-run.ts';

const DEFAULTS = { seed: 1, kills: 9, rate: 10, speed: 100 };

const { values } = parseArgs({
  options: { seed: { type: 'string' }, kills: { type: 'string' }, rate: { type: 'string' }, speed: { type: 'string' } },
});
const given = (name: keyof typeof DEFAULTS): number =>
  values[name] === undefined ? DEFAULTS[name] : Number(values[name]);
const [seed, kills, rate, speed] = [given('seed'), given('kills'), given('rate'), given('speed')];
const parent = process.env.TORTURE_DIR ?? '.';

try {
  await fetchApacheKafka();
  await mkdir(parent, { recursive: true });
  const startedAtMs = Date.now();
  const found = await runOnFailingCluster({
    ...{ seed, kills, speed, parent, ticksPerSecond: rate },
    onProgress: (text) =>
      process.stderr.write(`${((Date.now() - startedAtMs) / 1000).toFixed(1).padStart(7)} s  ${text}\n`),
  });
  for (const restart of found.restarts) process.stderr.write(`\n${restart}\n`);
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const table: [string, string | number][] = [
    ['machine', `${machine}, Node.js ${process.version}`],
    ['date', new Date().toISOString()],
    ['seed', seed],
    ['lines of the source', found.items],
    ['records in all topics, none lost, none doubled', found.records],
    ['kill -9 of a broker', found.kills],
    ['services started again', found.restarts.length],
    ['longest stall (ms)', found.longestStallMs],
    ['took (s)', Math.round((Date.now() - startedAtMs) / 1000)],
  ];
  const width = Math.max(...table.map(([name]) => name.length));
  for (const [name, value] of table) process.stdout.write(`${name.padEnd(width)}  ${value.toLocaleString('en')}\n`);
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}
