/** The three pairs of client and broker that the same rules are run on. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { startApacheKafka } from '@tickfold/testkit/apache-kafka';
import type { StreamConfig } from '../../src/index.ts';

export interface Served {
  /** For `connect`. */
  readonly config: StreamConfig;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Starts what was killed on its data and its port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface SetUp {
  title: string;
  serve(): Promise<Served>;
  /** Most topics that are made in a test: each costs Apache Kafka some files. */
  topicCount: number;
  /** Whether a producer sends again what a broken connection left unacknowledged. */
  resends: boolean;
}

export const leanOnEmbedded: SetUp = {
  title: 'the lean client on the embedded broker',
  serve: () => serveEmbedded('embedded'),
  topicCount: 1000,
  resends: false,
};

export const kafkaJsOnEmbedded: SetUp = {
  title: 'kafkajs on the embedded broker',
  serve: () => serveEmbedded('kafka'),
  topicCount: 1000,
  resends: true,
};

export const kafkaJsOnApacheKafka: SetUp = {
  title: 'kafkajs on Apache Kafka',
  serve: serveApacheKafka,
  topicCount: 1000,
  resends: true,
};

const BROKER = join(import.meta.dirname, '../../../../apps/broker/dist/main.js');

async function serveEmbedded(engine: 'embedded' | 'kafka'): Promise<Served> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tickfold-conformance-'));
  let { child, port } = await startBroker(dataDir, 0);
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  return {
    config: { engine, brokers: [`127.0.0.1:${port}`], clientId: 'conformance' },
    kill: () => end('SIGKILL'),
    async restart() {
      ({ child, port } = await startBroker(dataDir, port));
    },
    async stop() {
      await end('SIGTERM');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function startBroker(
  dataDir: string,
  port: number,
): Promise<{ child: ChildProcessByStdio<null, Readable, Readable>; port: number }> {
  const child = spawn(process.execPath, [BROKER], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, BROKER_PORT: String(port), HEALTH_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const lines = createInterface(child.stdout);
  for await (const line of lines) {
    const told = JSON.parse(line);
    if (told.msg !== 'listening for Kafka clients') continue;
    child.stdout.resume();
    return { child, port: told.port };
  }
  throw new Error(`the broker ended before it listened: ${stderr}`);
}

async function serveApacheKafka(): Promise<Served> {
  const kafka = await startApacheKafka({ heapMb: 512, settings: { 'auto.create.topics.enable': 'false' } });
  return {
    config: { engine: 'kafka', brokers: [kafka.bootstrap], clientId: 'conformance' },
    kill: () => kafka.kill(1),
    restart: () => kafka.restart(1),
    stop: () => kafka.stop(),
  };
}
