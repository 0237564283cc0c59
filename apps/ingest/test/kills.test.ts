import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type FeedItem, isMalformed, MARKET_PARTITIONS, openSource, parseSourceSpec, topics } from '@tickfold/market';
import { connect, partitionOfKey, type StreamClient, type StreamConfig } from '@tickfold/stream';
import { startApacheKafka, whyNoApacheKafka } from '@tickfold/testkit/apache-kafka';
import { startBrokerProcess } from '@tickfold/testkit/broker-process';
import { SeededRandom } from '@tickfold/testkit/seeded-random';
import { describe, expect, onTestFinished, test } from 'vitest';
import { IngestProcess } from './ingest-process.ts';
import { readTopic } from './scenario.ts';

/** Within these, ingest has begun to send and is not through. */
const LONGEST_LIFE_MS = 120;
const MINUTES = 60_000;

interface Served {
  config: StreamConfig;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

interface SetUp {
  title: string;
  kills: number;
  serve(): Promise<Served>;
  whyNot?: string | undefined;
}

const setUps: SetUp[] = [
  { title: 'the lean client on the embedded broker', kills: 8, serve: () => serveEmbedded('embedded') },
  { title: 'kafkajs on the embedded broker', kills: 8, serve: () => serveEmbedded('kafka') },
  { title: 'kafkajs on Apache Kafka', kills: 3, serve: serveApacheKafka, whyNot: whyNoApacheKafka() },
];

const shared = resolve(process.env.TICKFOLD_SHARED_DATA ?? join(import.meta.dirname, '../../../../shared/data'));
const [taq, lean] = [join(shared, 'taq'), join(shared, 'lean')];
const whyNotLong =
  process.env.TICKFOLD_LONG_TESTS === undefined ? 'it takes minutes; set TICKFOLD_LONG_TESTS=1 to run it' : undefined;

/** Real lines, where this machine has them; a simulated day everywhere. */
const sources: { title: string; env: Record<string, string>; whyNot?: string | undefined }[] = [
  { title: 'a simulated day', env: simulated(60) },
  { title: 'the sample Daily Trades files', env: { SOURCE: `taq:${taq}` }, whyNot: whyNotThere(taq) },
  { title: 'a simulated day at speed 60', env: { ...simulated(20), SPEED: '60' }, whyNot: whyNotLong },
  { title: 'a day of 2013', env: { SOURCE: `lean:${lean}` }, whyNot: whyNotThere(lean) ?? whyNotLong },
];

function simulated(ticksPerSecond: number): Record<string, string> {
  return { SOURCE: 'sim', SIM_SEED: '7', SIM_SYMBOLS: '20', SIM_RATE: String(ticksPerSecond) };
}

function whyNotThere(folder: string): string | undefined {
  return existsSync(folder) ? undefined : `there is no ${folder}`;
}

for (const setUp of setUps) {
  describe(setUp.title, () => {
    for (const source of sources) {
      const isRepeated = setUp !== setUps[0] && source !== sources[0];
      const whyNot = setUp.whyNot ?? source.whyNot ?? (isRepeated ? whyNotLong : undefined);
      const title = `${source.title} is in the log once and in order, though ingest and the broker are killed again and again`;
      if (whyNot !== undefined) test.skip(`${title}: ${whyNot}`);
      else test(title, () => killAgainAndAgain(setUp, source.env), 10 * MINUTES);
    }
  });
}

async function killAgainAndAgain(setUp: SetUp, source: Record<string, string>): Promise<void> {
  const served = await setUp.serve();
  const random = new SeededRandom(1);
  const env = { ...engineEnv(served.config), SPEED: '0', ...source };
  let ingest = new IngestProcess(env);
  onTestFinished(() => ingest.kill());
  let kills = 0;
  for (let times = 1; kills < setUp.kills; times++) {
    await ingest.untilFlowing(times);
    if (ingest.isComplete) break;
    await delay(random.below(LONGEST_LIFE_MS));
    kills++;
    const victim = random.pick(['ingest', 'broker', 'both']);
    if (victim !== 'ingest') await served.kill();
    if (victim !== 'broker') {
      await ingest.kill();
      ingest = new IngestProcess(env);
      times = 0;
    }
    if (victim !== 'ingest') await served.restart();
  }
  await ingest.untilComplete();

  const client = await connect(served.config);
  onTestFinished(() => client.close());
  const expected = await givenLines(source);
  const lanes = [...expected.keys()];
  let stored = await storedLines(client, lanes);
  // Apache Kafka answers a commit before all partitions have its marker, and until then nobody reads the records.
  for (const until = performance.now() + MINUTES; lineCount(stored) < lineCount(expected); ) {
    if (performance.now() > until) break;
    stored = await storedLines(client, lanes);
  }
  for (const lane of lanes) expect(stored.get(lane), lane).toEqual(expected.get(lane));
  expect(kills).toBeGreaterThan(0);
}

/** By topic and partition, each line with its position, as the source gives them. */
async function givenLines(source: Record<string, string>): Promise<Map<string, string[]>> {
  const lanes = new Map<string, string[]>();
  for (const topic of [topics.ticks, topics.marketDeadLetter]) {
    for (let partition = 0; partition < MARKET_PARTITIONS; partition++) lanes.set(`${topic}/${partition}`, []);
  }
  const { SOURCE, SIM_SEED, SIM_SYMBOLS, SIM_RATE } = source;
  const sim = { seed: Number(SIM_SEED), symbolCount: Number(SIM_SYMBOLS), peakTicksPerSecond: Number(SIM_RATE) };
  const feed = await openSource(parseSourceSpec(SOURCE!), SOURCE === 'sim' ? { sim } : {});
  for await (const chunk of feed.records()) {
    for (const item of chunk)
      lanes.get(laneOf(item))!.push(`${item.position} ${Buffer.from(item.line).toString('latin1')}`);
  }
  return lanes;
}

/** The same, as the log holds them. */
async function storedLines(client: StreamClient, names: string[]): Promise<Map<string, string[]>> {
  const lanes = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const topic of [topics.ticks, topics.marketDeadLetter]) {
    for (const { partition, headers, value } of await readTopic(client, topic)) {
      lanes.get(`${topic}/${partition}`)!.push(`${headers.position} ${value}`);
    }
  }
  return lanes;
}

function lineCount(lanes: Map<string, string[]>): number {
  return [...lanes.values()].reduce((sum, { length }) => sum + length, 0);
}

function laneOf(item: FeedItem): string {
  if (isMalformed(item)) return `${topics.marketDeadLetter}/0`;
  return `${topics.ticks}/${partitionOfKey(Buffer.from(item.symbol), MARKET_PARTITIONS)}`;
}

function engineEnv({ engine, brokers }: StreamConfig): Record<string, string> {
  return engine === 'kafka'
    ? { STREAM_ENGINE: 'kafka', KAFKA_BROKERS: brokers.join(',') }
    : { BROKERS: brokers.join(',') };
}

async function serveEmbedded(engine: 'embedded' | 'kafka'): Promise<Served> {
  const broker = await startBrokerProcess();
  onTestFinished(() => broker.stop());
  return {
    config: { engine, brokers: [broker.address], clientId: 'test' },
    kill: () => broker.kill(),
    restart: () => broker.restart(),
  };
}

async function serveApacheKafka(): Promise<Served> {
  const kafka = await startApacheKafka({ heapMb: 400, settings: { 'auto.create.topics.enable': 'false' } });
  onTestFinished(() => kafka.stop());
  return {
    config: { engine: 'kafka', brokers: [kafka.bootstrap], clientId: 'test' },
    kill: () => kafka.kill(1),
    restart: () => kafka.restart(1),
  };
}
