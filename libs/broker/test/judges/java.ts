import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { judgesFolder, kafkaJavaArguments, kafkaVersion } from '@tickfold/testkit/apache-kafka';
import { lastLines, mustRun, runProgram } from '@tickfold/testkit/programs';
import type { Hearing, Judge, Subject } from './judge.ts';
import { readReport, sources } from './program-judge.ts';

const TOOLS = 'org.apache.kafka.tools';
const RECORDS = 20_000;
const source = join(sources, 'AdminCalls.java');
const classes = join(judgesFolder, 'java-classes');

/** What a Kafka UI asks through Java's AdminClient. */
export const javaAdmin: Judge = {
  name: 'java-admin',
  origin: `the calls of a Kafka UI, through Java's client ${kafkaVersion} (Maven)`,
  async prepare() {
    const built = join(classes, 'AdminCalls.class');
    if (existsSync(built) && statSync(built).mtimeMs > statSync(source).mtimeMs) return;
    await rm(classes, { recursive: true, force: true });
    await mkdir(classes, { recursive: true });
    await mustRun('javac', ['-cp', classPath(), '-d', classes, source]);
  },
  async hearings() {
    const run = (subject: Subject) => {
      const args = javaArguments('AdminCalls', [subject.bootstrap]);
      return readReport('java-admin', 'java', args, subject);
    };
    return [{ title: 'java-admin', run }];
  },
};

/** The tools that Apache Kafka's own system tests run. */
export const javaTools: Judge = {
  name: 'java-tools',
  origin: `the tools of Apache Kafka ${kafkaVersion} (Maven)`,
  async prepare() {},
  async hearings() {
    return Object.entries(cases).map(
      ([title, check]): Hearing => ({
        title,
        async run(subject) {
          try {
            await check(new Tools(subject, title));
            return [{ case: title, outcome: 'passed' }];
          } catch (error) {
            return [{ case: title, outcome: 'failed', why: (error as Error).message }];
          }
        },
      }),
    );
  },
};

class Tools {
  readonly topic = `java-${randomBytes(6).toString('hex')}`;
  readonly bootstrap: string;
  readonly #log: string;

  constructor({ bootstrap, folder }: Subject, title: string) {
    this.bootstrap = bootstrap;
    this.#log = join(folder, 'java-tools', title.replaceAll(/\W+/g, '-'));
  }

  /** Runs a tool to its end. @returns what it wrote to standard output */
  async run(name: string, ...args: string[]): Promise<string> {
    const { status, stdout, output, timedOut } = await runProgram('java', javaArguments(`${TOOLS}.${name}`, args), {
      timeoutMs: 120_000,
      log: `${this.#log}-${name}.log`,
    });
    if (status !== 0) throw new Error(`${name}: ${timedOut ? 'no end in 120 s' : lastLines(output, 2)}`);
    return stdout;
  }

  createTopic(topic: string, partitions = 1): Promise<string> {
    const size = ['--partitions', String(partitions), '--replication-factor', '1'];
    return this.run('TopicCommand', '--bootstrap-server', this.bootstrap, '--create', '--topic', topic, ...size);
  }

  produce(topic: string, count: number, ...options: string[]): Promise<string> {
    const how = ['--num-records', String(count), '--record-size', '100', '--throughput', '-1', ...options];
    return this.run('ProducerPerformance', '--topic', topic, ...how);
  }

  /** @returns the path of a file with this as JSON */
  async written(value: unknown): Promise<string> {
    const file = `${this.#log}.json`;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(value));
    return file;
  }

  /** The values of so many records of a topic, read by the console consumer. */
  async values(topic: string, count: number): Promise<string[]> {
    const how = ['--from-beginning', '--isolation-level', 'read_committed', '--max-messages', String(count)];
    const options = ['--bootstrap-server', this.bootstrap, '--topic', topic, '--timeout-ms', '30000', ...how];
    return (await this.run('consumer.ConsoleConsumer', ...options)).trimEnd().split('\n');
  }
}

const cases: Record<string, (tools: Tools) => Promise<void>> = {
  'ProducerPerformance with acks=all, then ConsumerPerformance': async (tools) => {
    await tools.produce(tools.topic, RECORDS, '--producer-props', `bootstrap.servers=${tools.bootstrap}`, 'acks=all');
    const table = await tools.run(
      'ConsumerPerformance',
      ...['--bootstrap-server', tools.bootstrap, '--topic', tools.topic, '--messages', String(RECORDS)],
    );
    same(Number(table.trim().split('\n').at(-1)?.split(', ')[4]), RECORDS);
  },
  'ProducerPerformance with acks=1, compressed by lz4': async (tools) => {
    const properties = [`bootstrap.servers=${tools.bootstrap}`, 'acks=1', 'compression.type=lz4'];
    const said = await tools.produce(tools.topic, RECORDS, '--producer-props', ...properties);
    same(said.includes(`${RECORDS} records sent`), true);
  },
  'ProducerPerformance in transactions': async (tools) => {
    const transactions = ['--transactional-id', tools.topic, '--transaction-duration-ms', '200'];
    await tools.produce(
      tools.topic,
      1_000,
      ...transactions,
      '--producer-props',
      `bootstrap.servers=${tools.bootstrap}`,
    );
    same((await tools.values(tools.topic, 1_000)).length, 1_000);
  },
  EndToEndLatency: async (tools) => {
    const said = await tools.run('EndToEndLatency', tools.bootstrap, tools.topic, '500', 'all', '100');
    same(said.includes('99th'), true);
  },
  'VerifiableProducer, then VerifiableConsumer': async (tools) => {
    const count = 1_000;
    const where = ['--bootstrap-server', tools.bootstrap, '--topic', tools.topic];
    const produced = await tools.run('VerifiableProducer', ...where, '--max-messages', String(count), '--acks', '-1');
    same(events(produced, 'producer_send_success').length, count);
    const reading = ['--group-id', tools.topic, '--reset-policy', 'earliest', '--verbose'];
    const read = await tools.run('VerifiableConsumer', ...where, '--max-messages', String(count), ...reading);
    same(new Set(events(read, 'record_data').map(({ value }) => value)).size, count);
  },
  'TransactionalMessageCopier gives one of each, aborts in between': async (tools) => {
    const count = 1_000;
    const [from, to] = [`${tools.topic}-from`, `${tools.topic}-to`];
    await tools.createTopic(from);
    await tools.createTopic(to);
    const where = ['--bootstrap-server', tools.bootstrap, '--topic', from];
    await tools.run('VerifiableProducer', ...where, '--max-messages', String(count), '--acks', '-1');
    await tools.run(
      'TransactionalMessageCopier',
      ...['--broker-list', tools.bootstrap, '--transactional-id', tools.topic, '--consumer-group', tools.topic],
      ...['--input-topic', from, '--input-partition', '0', '--output-topic', to],
      ...['--max-messages', String(count), '--transaction-size', '50', '--enable-random-aborts'],
    );
    const copied = await tools.values(to, count);
    same(
      [...copied].sort().join(),
      Array.from({ length: count }, (_, i) => String(i))
        .sort()
        .join(),
    );
  },
  'TopicCommand, ConfigCommand, ConsumerGroupCommand, LogDirsCommand': async (tools) => {
    const where = ['--bootstrap-server', tools.bootstrap];
    await tools.createTopic(tools.topic, 2);
    const described = await tools.run('TopicCommand', ...where, '--describe', '--topic', tools.topic);
    same(described.includes('PartitionCount: 2'), true);
    await tools.run('TopicCommand', ...where, '--alter', '--topic', tools.topic, '--partitions', '3');
    await tools.run('consumer.group.ConsumerGroupCommand', ...where, '--list');
    const folders = await tools.run('LogDirsCommand', ...where, '--describe', '--topic-list', tools.topic);
    same(folders.includes(tools.topic), true);
    await tools.run('TopicCommand', ...where, '--delete', '--topic', tools.topic);
  },
  'GetOffsetShell and DeleteRecordsCommand': async (tools) => {
    await tools.createTopic(tools.topic);
    await tools.produce(tools.topic, 10, '--producer-props', `bootstrap.servers=${tools.bootstrap}`);
    const where = ['--bootstrap-server', tools.bootstrap];
    const file = await tools.written({ partitions: [{ topic: tools.topic, partition: 0, offset: 4 }], version: 1 });
    await tools.run('DeleteRecordsCommand', ...where, '--offset-json-file', file);
    const said = await tools.run('GetOffsetShell', ...where, '--topic', tools.topic, '--time', 'earliest');
    same(said.trim(), `${tools.topic}:0:4`);
  },
};

/** The lines of JSON of one kind that a verifiable client printed. */
function events(output: string, name: string): { value?: unknown }[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line)).filter((event) => event.name === name);
}

function same(got: unknown, expected: unknown): void {
  if (got !== expected) throw new Error(`expected ${String(expected).slice(0, 60)}, got ${String(got).slice(0, 60)}`);
}

function classPath(): string {
  const args = kafkaJavaArguments('', []);
  return args[args.indexOf('-cp') + 1]!;
}

/** With the classes that were compiled here before Apache Kafka's own. */
function javaArguments(mainClass: string, args: readonly string[]): string[] {
  return kafkaJavaArguments(mainClass, args).map((word) => (word === classPath() ? classes + delimiter + word : word));
}
