/**
 * How fast the stream library is on the embedded engine, beside others that do the same work. Producer, broker and
 * consumer are processes of their own. Prints its figures as one line of JSON.
 *
 *   npm run bench -- stream [--quick] [--only throughput --only latency …]
 *
 * The first run fetches Apache Kafka and builds librdkafka's client, which takes minutes; they stay in `data/judges`.
 */
import { parseArgs } from 'node:util';
import { fetchApacheKafka } from '@tickfold/testkit/apache-kafka';
import type { Figure } from '@tickfold/testkit/figures';
import { buildLibrdkafka } from '@tickfold/testkit/librdkafka';
import { measureLatency } from './latency.ts';
import { measureProcessor } from './processor.ts';
import { FULL, QUICK } from './setting.ts';
import { measureThroughput } from './throughput.ts';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});
const setting = options.quick ? QUICK : FULL;

const subjects: Record<string, () => Promise<Figure[]>> = {
  throughput: async () => {
    await fetchPeers();
    return measureThroughput(setting);
  },
  latency: () => measureLatency(setting),
  processor: () => measureProcessor(setting),
};

const chosen = options.only ?? Object.keys(subjects);
const unknown = chosen.find((name) => !(name in subjects));
if (unknown === undefined) {
  const figures: Figure[] = [];
  for (const name of chosen) {
    process.stderr.write(`stream: measuring ${name} …\n`);
    figures.push(...(await subjects[name]!()));
  }
  console.log(JSON.stringify(figures));
} else {
  const known = Object.keys(subjects).join(', ');
  process.stderr.write(`tickfold: the suite stream has nothing called "${unknown}".\nMend: choose among ${known}.\n`);
  process.exitCode = 2;
}

async function fetchPeers(): Promise<void> {
  try {
    await fetchApacheKafka();
    await buildLibrdkafka();
  } catch (error) {
    process.stderr.write(`tickfold: the library has nobody to be compared with: ${(error as Error).message}\n`);
    process.exit(1);
  }
}
