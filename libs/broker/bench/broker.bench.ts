/**
 * How fast the broker is beside Apache Kafka, with the same clients in the same run, and what it needs. Prints its figures
 * as one line of JSON.
 *
 *   npm run bench -- broker [--quick] [--only throughput --only start …]
 *
 * The first run fetches Apache Kafka and builds librdkafka's client, which takes minutes; they stay in `data/judges`.
 */
import { parseArgs } from 'node:util';
import { fetchApacheKafka } from '@tickfold/testkit/apache-kafka';
import type { Figure } from '@tickfold/testkit/figures';
import { buildLibrdkafka } from '@tickfold/testkit/librdkafka';
import { measureConnections, measureManyTopics, measureMemory, measureStart } from './alone.ts';
import { measureLatency, measureThroughput } from './compared.ts';
import { FULL, QUICK } from './setting.ts';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});
const setting = options.quick ? QUICK : FULL;

const subjects: Record<string, () => Promise<Figure[]>> = {
  throughput: () => measureThroughput(setting),
  latency: () => measureLatency(setting),
  start: () => measureStart(setting),
  memory: () => measureMemory(setting),
  connections: () => measureConnections(),
  topics: () => measureManyTopics(setting),
};

const chosen = options.only ?? Object.keys(subjects);
const unknown = chosen.find((name) => !(name in subjects));
if (unknown === undefined) {
  await fetchPeers();
  const figures: Figure[] = [];
  for (const name of chosen) {
    process.stderr.write(`broker: measuring ${name} …\n`);
    figures.push(...(await subjects[name]!()));
  }
  console.log(JSON.stringify(figures));
} else {
  const known = Object.keys(subjects).join(', ');
  process.stderr.write(`tickfold: the suite broker has nothing called "${unknown}".\nMend: choose among ${known}.\n`);
  process.exitCode = 2;
}

async function fetchPeers(): Promise<void> {
  try {
    await fetchApacheKafka();
    await buildLibrdkafka();
  } catch (error) {
    process.stderr.write(`tickfold: the broker has nobody to be compared with: ${(error as Error).message}\n`);
    process.exit(1);
  }
}
