/** The clients that others wrote: librdkafka's `rdkafka_performance`, and the tools that come with Apache Kafka. */
import { readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { kafkaJavaArguments } from './apache-kafka.ts';
import type { Safety } from './bench-brokers.ts';
import { rdkafkaPerformance as runPerformance } from './librdkafka.ts';
import { mustRun } from './programs.ts';

const RECORD_BYTES = '100';
const TIMEOUT_MS = 180_000;
/** A consumer that has just begun is not measured: it meets the records that were there before. */
const WARM_UP_SHARE = 0.3;

const rdkafkaPerformance = (args: readonly string[]): Promise<string> => runPerformance(args, TIMEOUT_MS);
const acksOf = (safety: Safety): string => (safety === 'durable' ? '-1' : '1');

/** A client: records a second that it sent and had acknowledged, and records a second that it read. */
export interface Client {
  name: string;
  produce(bootstrap: string, topic: string, records: number, safety: Safety): Promise<number>;
  consume(bootstrap: string, topic: string, records: number): Promise<number>;
}

export const rdkafka: Client = {
  name: 'rdkafka_performance',
  async produce(bootstrap, topic, records, safety) {
    const how = ['-s', RECORD_BYTES, '-c', String(records), '-a', acksOf(safety), '-b', bootstrap];
    const said = await rdkafkaPerformance(['-P', '-t', topic, '-p', '0', ...how]);
    const [, delivered, failed, rate] = /, (\d+) delivered \(offset \d+, (\d+) failed\) in \d+ms: (\d+) msgs\/s/.exec(
      lastLineWith(said, 'delivered'),
    )!;
    if (Number(delivered) !== records || failed !== '0') throw new Error(`not all was acknowledged: ${said}`);
    return Number(rate);
  },
  async consume(bootstrap, topic, records) {
    const how = ['-o', 'beginning', '-c', String(records), '-b', bootstrap];
    const said = await rdkafkaPerformance(['-C', '-t', topic, '-p', '0', ...how]);
    return Number(/consumed in \d+ms: (\d+) msgs\/s/.exec(lastLineWith(said, 'consumed'))![1]);
  },
};

export const java: Client = {
  name: "Java's tools",
  async produce(bootstrap, topic, records, safety) {
    const properties = [`bootstrap.servers=${bootstrap}`, `acks=${acksOf(safety)}`];
    const how = ['--num-records', String(records), '--record-size', RECORD_BYTES, '--throughput', '-1'];
    const said = await tool('ProducerPerformance', '--topic', topic, ...how, '--producer-props', ...properties);
    return Number(/records sent, ([\d.]+) records\/sec/.exec(lastLineWith(said, '99.9th'))![1]);
  },
  async consume(bootstrap, topic, records) {
    const said = await tool(
      'ConsumerPerformance',
      ...['--bootstrap-server', bootstrap, '--topic', topic, '--messages', String(records)],
    );
    // start, end, MB, MB/s, records, records/s, ms to join, ms to fetch, MB/s of fetching, records/s of fetching
    return Number(said.trim().split('\n').at(-1)!.split(', ')[9]);
  },
};

/** Milliseconds from before a record is sent to its being handed to a consumer, of each record. */
export async function latencies(
  bootstrap: string,
  topic: string,
  safety: Safety,
  { recordsPerSecond, seconds }: { recordsPerSecond: number; seconds: number },
): Promise<number[]> {
  const records = recordsPerSecond * seconds;
  const file = resolve(`.latencies-${topic}`);
  const consumed = rdkafkaPerformance([
    '-C',
    '-t',
    topic,
    '-p',
    '0',
    '-o',
    'beginning',
    '-c',
    String(records),
    '-l',
    '-A',
    file,
    '-b',
    bootstrap,
  ]);
  // It has to be at the end of the log before the first record comes; what meets it earlier is left out below.
  await delay(1_000);
  const rate = ['-r', String(recordsPerSecond), '-c', String(records), '-s', RECORD_BYTES];
  await rdkafkaPerformance([
    '-P',
    '-t',
    topic,
    '-p',
    '0',
    ...rate,
    '-l',
    '-a',
    acksOf(safety),
    '-X',
    'linger.ms=1',
    '-b',
    bootstrap,
  ]);
  await consumed;
  const all = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((text) => Number(text) / 1_000);
  rmSync(file);
  return all.slice(Math.floor(all.length * WARM_UP_SHARE));
}

/**
 * Writes 100 MB a second for so long, while a consumer reads them.
 * @returns bytes a second that were read
 */
export async function drive(bootstrap: string, topic: string, seconds: number): Promise<number> {
  // The client sleeps between two records: few large ones, or it would not reach the rate.
  const [recordBytes, recordsPerSecond] = [10_000, 10_000];
  const records = recordsPerSecond * seconds;
  const begin = performance.now();
  const place = ['-t', topic, '-p', '0', '-c', String(records), '-b', bootstrap];
  const consuming = rdkafkaPerformance(['-C', ...place, '-o', 'beginning']);
  await rdkafkaPerformance(['-P', ...place, '-s', String(recordBytes), '-r', String(recordsPerSecond), '-a', '-1']);
  await consuming;
  return (records * recordBytes) / ((performance.now() - begin) / 1000);
}

function tool(name: string, ...args: string[]): Promise<string> {
  return mustRun('java', kafkaJavaArguments(`org.apache.kafka.tools.${name}`, args), { timeoutMs: TIMEOUT_MS });
}

function lastLineWith(text: string, words: string): string {
  return text.split('\n').findLast((line) => line.includes(words)) ?? '';
}
