// A real Apache Kafka on this machine, for tests and benchmarks that compare with it. One process a broker, KRaft, no Docker.
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { kafkaJavaArguments } from './kafka-artifacts.ts';

export {
  fetchApacheKafka,
  judgesFolder,
  kafkaJavaArguments,
  kafkaVersion,
  whyNoApacheKafka,
} from './kafka-artifacts.ts';

export interface ApacheKafkaOptions {
  /** One to begin with; three replicate every topic of the cluster's own. */
  brokers?: number;
  /** Left out: a folder in the system's temporary folder. A folder for this run is made in it, and removed at the end. */
  parentDir?: string;
  /** Of each broker. */
  heapMb?: number;
  /** More lines of `server.properties`, such as `log.flush.interval.messages: 1`. */
  settings?: Readonly<Record<string, string | number>>;
}

export interface ApacheKafka {
  /** `host:port,…` of all brokers. */
  readonly bootstrap: string;
  /** The processes that run, by the number of the broker. */
  readonly pids: ReadonlyMap<number, number>;
  /** Ends broker `id` (1 and up) at once, as a power cut would. */
  kill(id: number): Promise<void>;
  /** Starts a killed broker again on its data and its port; resolves once it takes requests. */
  restart(id: number): Promise<void>;
  /** Ends every broker and removes the data. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const STARTED = /Kafka Server started/;

interface Node {
  id: number;
  properties: string;
  port: number;
  child?: ChildProcessByStdio<null, null, Readable> | undefined;
}

/**
 * Starts a cluster of Apache Kafka on free ports and waits until each broker takes requests.
 * @throws Error with the last lines of the log of a broker that ended instead
 */
export async function startApacheKafka(options: ApacheKafkaOptions = {}): Promise<ApacheKafka> {
  const { brokers = 1, heapMb = 512, parentDir = tmpdir() } = options;
  const folder = await mkdtemp(join(parentDir, 'apache-kafka-'));
  const ports = await freePorts(2 * brokers);
  const voters = Array.from({ length: brokers }, (_, i) => `${i + 1}@${HOST}:${ports[brokers + i]}`).join(',');
  const nodes: Node[] = [];
  const endAll = (): void => {
    for (const { child } of nodes) child?.kill('SIGKILL');
  };
  process.once('exit', endAll);
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map(end));
    process.off('exit', endAll);
    await rm(folder, { recursive: true, force: true });
  };

  const clusterId = randomBytes(16).toString('base64url');
  try {
    for (let id = 1; id <= brokers; id++) {
      const node = { id, port: ports[id - 1]!, properties: join(folder, `${id}.properties`) };
      nodes.push(node);
      await writeFile(
        node.properties,
        describeNode(node, { folder, voters, brokers, controllerPort: ports[brokers + id - 1]!, ...options.settings }),
      );
      await runKafkaClass('kafka.tools.StorageTool', ['format', `--cluster-id=${clusterId}`, '-c', node.properties]);
    }
    await Promise.all(nodes.map((node) => begin(node, heapMb)));
  } catch (error) {
    await stop();
    throw error;
  }

  const nodeOf = (id: number): Node => {
    const node = nodes[id - 1];
    if (node === undefined) throw new Error(`There is no broker ${id}. Mend: name one of 1 to ${brokers}.`);
    return node;
  };
  return {
    bootstrap: nodes.map(({ port }) => `${HOST}:${port}`).join(','),
    get pids() {
      return new Map(nodes.flatMap(({ id, child }) => (child?.pid === undefined ? [] : [[id, child.pid] as const])));
    },
    kill: (id) => end(nodeOf(id)),
    restart: (id) => begin(nodeOf(id), heapMb),
    stop,
  };
}

/** Runs a class of Apache Kafka's, such as one of its tools, to its end. @throws Error where it fails, with its output */
export function runKafkaClass(
  mainClass: string,
  args: readonly string[],
  { timeoutMs = 60_000 } = {},
): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)('java', kafkaJavaArguments(mainClass, args), { timeout: timeoutMs, maxBuffer: 1 << 28 });
}

function describeNode(
  { id, port }: Node,
  { folder, voters, brokers, controllerPort, ...more }: Record<string, string | number> & { brokers: number },
): string {
  const replicas = Math.min(brokers, 3);
  const inSync = Math.min(brokers, 2);
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': voters!,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${HOST}:${port},CONTROLLER://${HOST}:${controllerPort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(String(folder), `data-${id}`),
    // As few as the cluster has; few partitions of its own, for each costs the start some time.
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 5,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'default.replication.factor': replicas,
    'group.initial.rebalance.delay.ms': 0,
    ...more,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

async function begin(node: Node, heapMb: number): Promise<void> {
  if (node.child !== undefined) throw new Error(`Broker ${node.id} runs already.`);
  const child = spawn('java', kafkaJavaArguments('kafka.Kafka', [node.properties], heapMb), {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  node.child = child;
  child.once('exit', () => {
    node.child = undefined;
  });
  const lastLines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    createInterface(child.stderr)
      .on('line', (line) => {
        lastLines.push(line);
        if (lastLines.length > 20) lastLines.shift();
        if (STARTED.test(line)) resolve();
      })
      .once('close', () => reject(new Error(`Apache Kafka's broker ${node.id} ended:\n${lastLines.join('\n')}`)));
  });
}

async function end({ child }: Node): Promise<void> {
  if (child === undefined) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Ports that were free just now. All are held until the last one is known, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, HOST);
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
