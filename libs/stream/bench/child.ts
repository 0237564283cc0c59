/** Does the job that its first argument describes, tells its parent what it found, and ends. */
import { once } from 'node:events';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { connect, runProcessor, type StreamClient } from '@tickfold/stream';
import { Kafka, logLevel } from 'kafkajs';
import { receiveBare, relayBare, sendBare } from './bare-copy.ts';
import { nowMs } from './children.ts';
import type { Job, Span } from './jobs.ts';
import { KEYS, keys, PARTITIONS, values } from './load.ts';
import { everyMillisecond } from './metronome.ts';

const LINGER_MS = 5;
/** What is measured is how long a record takes, not how long it waits for company. */
const LATENCY_LINGER_MS = 0;
const KAFKAJS_BATCH = 5_000;
const KAFKAJS_IN_FLIGHT = 3;
const COPY_CHUNK_BYTES = 256 * 1024;
const TIME_BYTES = 8;

const jobs: { [Name in Job['do']]: (job: Extract<Job, { do: Name }>) => Promise<unknown> } = {
  produce: ({ bootstrap, topic, records, acks, batchBytes }) =>
    withClient(bootstrap, async (client): Promise<Span> => {
      const producer = client.producer({ lingerMs: LINGER_MS, acks, batchBytes });
      const startMs = nowMs();
      const timestampMs = Math.floor(startMs);
      for (let i = 0; i < records; i++) {
        const wait = producer.send({ topic, key: keys[i % KEYS]!, value: values[i % values.length]!, timestampMs });
        if (wait !== undefined) await wait;
      }
      await producer.flush();
      return { startMs, endMs: nowMs() };
    }),

  consume: ({ bootstrap, topic, records }) =>
    withClient(bootstrap, async (client) => {
      let seen = 0;
      tellParent('ready');
      for await (const chunk of client.consumer({ assignments: allPartitionsOf(topic) })) {
        for (const record of chunk.records()) if (record.timestampMs > 0) seen++;
        if (seen >= records) break;
      }
      return nowMs();
    }),

  async 'produce-by-kafkajs'({ bootstrap, topic, records }): Promise<Span> {
    const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.ERROR });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
    await admin.disconnect();
    const producer = kafka.producer({ maxInFlightRequests: KAFKAJS_IN_FLIGHT });
    await producer.connect();
    const startMs = nowMs();
    const sending = new Set<Promise<unknown>>();
    for (let at = 0; at < records; at += KAFKAJS_BATCH) {
      const messages = Array.from({ length: Math.min(KAFKAJS_BATCH, records - at) }, (_, i) => ({
        key: keys[(at + i) % KEYS]!,
        value: values[(at + i) % values.length]!,
      }));
      const sent = producer.send({ topic, acks: 1, messages }).finally(() => sending.delete(sent));
      sending.add(sent);
      if (sending.size >= KAFKAJS_IN_FLIGHT) await Promise.race(sending);
    }
    await Promise.all(sending);
    const endMs = nowMs();
    await producer.disconnect();
    return { startMs, endMs };
  },

  async 'copy-to'({ bytes }) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    tellParent((server.address() as { port: number }).port);
    const [socket] = (await once(server, 'connection')) as [Socket];
    let seen = 0;
    for await (const chunk of socket) seen += (chunk as Buffer).length;
    const endMs = nowMs();
    server.close();
    if (seen !== bytes) throw new Error(`${seen} of ${bytes} bytes came`);
    return endMs;
  },

  async 'copy-from'({ port, bytes }): Promise<Span> {
    const socket = connectSocket({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const chunk = Buffer.concat(values).subarray(0, COPY_CHUNK_BYTES);
    const startMs = nowMs();
    for (let sent = 0; sent < bytes; sent += chunk.length) {
      if (!socket.write(chunk.subarray(0, bytes - sent))) await once(socket, 'drain');
    }
    socket.end();
    await once(socket, 'close');
    return { startMs, endMs: nowMs() };
  },

  'produce-steadily': ({ bootstrap, topic, recordsPerSecond, seconds, acks }) =>
    withClient(bootstrap, async (client) => {
      const producer = client.producer({ lingerMs: LATENCY_LINGER_MS, acks });
      const perBeat = recordsPerSecond / 1_000;
      const fromMs = nowMs() + 1_000;
      let sent = 0;
      // They count from when they were due: a sender that stalls does not hide its stall.
      await everyMillisecond(fromMs, seconds * 1_000, (beat) => {
        for (let i = 0; i < perBeat; i++, sent++) {
          const value = Buffer.from(values[sent % values.length]!);
          value.writeDoubleBE(fromMs + beat);
          void producer.send({ topic, key: keys[sent % KEYS]!, value, timestampMs: Math.floor(fromMs) });
        }
      });
      await producer.flush();
    }),

  'take-latencies': ({ bootstrap, topic, records }) =>
    withClient(bootstrap, async (client) => {
      const latencies = new Float64Array(records);
      let seen = 0;
      tellParent('ready');
      for await (const chunk of client.consumer({ assignments: allPartitionsOf(topic) })) {
        const arrivedMs = nowMs();
        for (const { value } of chunk.records()) {
          latencies[seen++] = arrivedMs - new DataView(value!.buffer, value!.byteOffset, TIME_BYTES).getFloat64(0);
        }
        if (seen >= records) break;
      }
      return [...latencies];
    }),

  'relay-bare': (job) => relayBare(job, () => tellParent('ready')),
  'receive-bare': (job) => receiveBare(job, () => tellParent('ready')),
  'send-bare': sendBare,

  fold: ({ bootstrap, topic, records }) =>
    withClient(bootstrap, async (client): Promise<Span> => {
      const done = new AbortController();
      let handled = 0;
      const startMs = nowMs();
      await runProcessor<Map<string, number>>({
        client,
        group: 'bench.fold',
        inputTopic: topic,
        outputTopics: ['bench.counts'],
        deadLetterTopic: 'bench.dead-letter',
        createState: () => new Map(),
        handle(counts, record, emit) {
          const key = String(record.key);
          const count = (counts.get(key) ?? 0) + 1;
          counts.set(key, count);
          emit({ topic: 'bench.counts', key: record.key, value: record.value!, timestampMs: record.timestampMs });
        },
        signal: done.signal,
        onProgress(progress) {
          handled += progress.handled;
          if (handled >= records) done.abort();
        },
      });
      return { startMs, endMs: nowMs() };
    }),
};

async function withClient<T>(bootstrap: string, work: (client: StreamClient) => Promise<T>): Promise<T> {
  const client = await connect({ brokers: [bootstrap], clientId: 'bench' });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

function allPartitionsOf(topic: string): { topic: string; partition: number }[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
}

function tellParent(message: unknown): void {
  process.send!(message);
}

const job = JSON.parse(process.argv[2]!) as Job;
const found = await (jobs[job.do] as (job: Job) => Promise<unknown>)(job);
process.send!({ found: found ?? null }, () => process.disconnect());
