import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Broker, type BrokerLog, type BrokerOptions, startBroker } from '@tickfold/broker';
import { type EngineOptions, type LogEngine, openLogEngine } from '@tickfold/log-engine';

export interface EmbeddedBrokerOptions {
  /** Left out: a temporary folder, removed at the end. */
  dataDir?: string;
  /** Left out: a free one. Give the last one to start a stopped broker again where its clients look for it. */
  port?: number;
  engine?: Omit<EngineOptions, 'dataDir'>;
  broker?: Omit<BrokerOptions, 'engine' | 'listeners' | 'log'>;
}

export interface EmbeddedBroker {
  /** `host:port`, as `BROKERS` takes it. */
  readonly address: string;
  readonly port: number;
  readonly dataDir: string;
  readonly engine: LogEngine;
  readonly broker: Broker;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

const silent: BrokerLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A whole broker inside the test's own process, on a port of its own. */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'tickfold-broker-')));
  const engine = await openLogEngine({ ...options.engine, dataDir });
  const broker = await startBroker({
    ...options.broker,
    engine,
    listeners: [{ name: 'test', host: HOST, port: options.port ?? 0, advertisedHost: HOST }],
    log: silent,
  });
  const port = broker.addresses[0]!.port;
  return {
    address: `${HOST}:${port}`,
    port,
    dataDir,
    engine,
    broker,
    async stop() {
      await broker.close();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
