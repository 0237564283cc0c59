// `npm run apache-kafka -- [--brokers N] [--fetch]`: starts a real Apache Kafka, to compare with. It ends with Ctrl-C.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, checkNode, fail, installDependencies, repository } from './set-up.mjs';

const { brokers, fetch: onlyFetch } = readOptions();
checkNode();
await installDependencies();
const entry = join(repository, 'libs/testkit/dist/apache-kafka.js');
if (!existsSync(entry)) await build();
const { fetchApacheKafka, kafkaVersion, startApacheKafka } = await import(entry);

try {
  await fetchApacheKafka();
  process.stdout.write(`Apache Kafka ${kafkaVersion} is fetched.\n`);
  if (!onlyFetch) await serve();
} catch (error) {
  fail(error.message, error.cause?.message ?? 'see the message above.');
}

async function serve() {
  const kafka = await startApacheKafka({ brokers });
  process.stdout.write(`It listens on ${kafka.bootstrap}. Ctrl-C ends it.\n`);
  const stop = () => kafka.stop().then(() => process.exit());
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: { brokers: { type: 'string', default: '1' }, fetch: { type: 'boolean', default: false } },
    });
    if (!/^[1-9]$/.test(values.brokers)) throw new Error(`--brokers ${values.brokers} is not a number from 1 to 9.`);
    return { ...values, brokers: Number(values.brokers) };
  } catch (error) {
    return fail(error.message, 'npm run apache-kafka -- [--brokers N] [--fetch]');
  }
}
