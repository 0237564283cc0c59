import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LogEngine, openLogEngine } from '@tickfold/log-engine';
import { Kafka, logLevel } from 'kafkajs';
import { type Broker, type BrokerOptions, startBroker } from '../src/index.ts';

export { RawClient } from './raw-client.ts';

export interface LogLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

export interface TestBroker {
  broker: Broker;
  engine: LogEngine;
  port: number;
  bootstrap: string;
  dataDir: string;
  /** What the broker logged so far. */
  lines: LogLine[];
  /** A kafkajs client that keeps its opinions to itself. */
  kafka: Kafka;
  /** Closes the broker and opens another one on the same data, at a port of its own. */
  restarted(): Promise<TestBroker>;
  close(): Promise<void>;
}

type Settings = Partial<Pick<BrokerOptions, 'autoCreateTopics' | 'limits' | 'groups' | 'listeners'>>;

/** A broker on a free port over a data folder that goes when it is closed. */
export async function startTestBroker(settings: Settings = {}, existing?: string): Promise<TestBroker> {
  const dataDir = existing ?? (await mkdtemp(join(tmpdir(), 'tickfold-broker-')));
  const lines: LogLine[] = [];
  const note = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields });
  const engine = await openLogEngine({ dataDir });
  const broker = await startBroker({
    engine,
    settingsFolder: dataDir,
    listeners: [{ name: 'host', host: '127.0.0.1', port: 0, advertisedHost: '127.0.0.1' }],
    log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    ...settings,
  });
  const { port } = broker.addresses[0]!;
  const bootstrap = `127.0.0.1:${port}`;
  return {
    broker,
    engine,
    port,
    bootstrap,
    dataDir,
    lines,
    kafka: new Kafka({ clientId: 'test', brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 3 } }),
    async restarted() {
      await broker.close();
      return startTestBroker(settings, dataDir);
    },
    async close() {
      await broker.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
