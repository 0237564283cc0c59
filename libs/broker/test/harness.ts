import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Api, decodeResponse, encodeRequest, FrameSplitter } from '@tickfold/kafka-protocol';
import { type LogEngine, openLogEngine } from '@tickfold/log-engine';
import { Kafka, logLevel } from 'kafkajs';
import type { Registry } from 'prom-client';
import { type Broker, type BrokerOptions, startBroker } from '../src/index.ts';

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

type Settings = Partial<Pick<BrokerOptions, 'autoCreateTopics' | 'limits' | 'groups' | 'listeners'>> & {
  metrics?: Registry;
};

/** A broker on a free port over a data folder that goes when it is closed. */
export async function startTestBroker(settings: Settings = {}, existing?: string): Promise<TestBroker> {
  const dataDir = existing ?? (await mkdtemp(join(tmpdir(), 'tickfold-broker-')));
  const lines: LogLine[] = [];
  const note = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields });
  const engine = await openLogEngine({ dataDir });
  const broker = await startBroker({
    engine,
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

/** A connection that speaks the protocol frame by frame, for what ordinary clients would never send. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  readonly #splitter = new FrameSplitter(64 * 1024 * 1024);
  readonly #frames: Buffer[] = [];
  readonly #waiting: ((frame: Buffer | undefined) => void)[] = [];
  #nextId = 1;

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const frame of this.#splitter.push(chunk)) {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#frames.push(frame);
        else waiting(frame);
      }
    });
    void this.closed.then(() => {
      for (const waiting of this.#waiting) waiting(undefined);
    });
  }

  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new RawClient(socket)));
      socket.once('error', reject);
    });
  }

  /** The next frame from the broker, without its length. */
  async frame(): Promise<Buffer> {
    const frame =
      this.#frames.shift() ?? (await new Promise<Buffer | undefined>((resolve) => this.#waiting.push(resolve)));
    if (frame === undefined) throw new Error('the broker closed the connection');
    return frame;
  }

  send<Request>(api: Api<Request, unknown>, version: number, request: Request): number {
    const correlationId = this.#nextId++;
    for (const chunk of encodeRequest(api, version, { correlationId, clientId: 'raw' }, request))
      this.socket.write(chunk);
    return correlationId;
  }

  async call<Request, Response>(api: Api<Request, Response>, version: number, request: Request): Promise<Response> {
    this.send(api, version, request);
    return decodeResponse(api, version, await this.frame());
  }

  close(): void {
    this.socket.destroy();
  }
}
