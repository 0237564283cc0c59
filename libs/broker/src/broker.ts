import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { KeptSettings } from './configs/kept-settings.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { FrameMemory } from './frame-memory.ts';
import { GroupCoordinator } from './groups/coordinator.ts';
import { OffsetExpiry } from './groups/offset-expiry.ts';
import { registerMetrics } from './metrics.ts';
import {
  type BrokerLog,
  type BrokerOptions,
  DEFAULT_GROUP_SETTINGS,
  DEFAULT_LIMITS,
  DEFAULT_PARTITION_COUNT,
  type Listener,
} from './options.ts';
import { RequestMemory } from './request-memory.ts';
import { routesOf } from './routes.ts';
import { listenOnUnixSocket } from './unix-socket.ts';

export interface BrokerAddress {
  listener: string;
  host: string;
  port: number;
}

export interface Broker {
  /** Where it listens, in the order of the listeners; ports as the system gave them. */
  readonly addresses: readonly BrokerAddress[];
  readonly connectionCount: number;
  /** Gives it the gauges under kafka_exporter's names. */
  registerMetrics(registry: Registry): void;
  /** Accepts and reads no more, answers what was begun, closes the engine. */
  close(): Promise<void>;
}

/** Answers of requests in flight at the end get this long. */
const DRAIN_MS = 1_000;
const SOCKET_LISTENER = 'BROKER_SOCKET';

/**
 * Serves the Kafka protocol over the engine's log on every listener.
 * @throws Error with `code` (`EADDRINUSE`, `EACCES`) and `port` where a listener cannot have its port, with `mend` where
 * the file of settings is damaged, or the socket's path cannot be used
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { engine, log } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const groupSettings = { ...DEFAULT_GROUP_SETTINGS, ...options.groups };
  const coordinator = new GroupCoordinator(groupSettings);
  const expiry = new OffsetExpiry({ engine, coordinator, settings: groupSettings, log });
  const routes = routesOf({
    kept: await KeptSettings.open(options.settingsFolder),
    engine,
    coordinator,
    expiry,
    log,
    limits,
    groupSettings,
    autoCreateTopics: options.autoCreateTopics ?? true,
    defaultPartitionCount: options.defaultPartitionCount ?? DEFAULT_PARTITION_COUNT,
  });
  const connections = new Set<Connection>();
  const memory = new RequestMemory(limits.requestBytes);
  const frameMemory = new FrameMemory();

  const servers: Server[] = [];
  const addresses: BrokerAddress[] = [];
  const shared = { routes, limits, memory, frameMemory, log, connections };
  try {
    for (const listener of options.listeners) {
      const server = await listen(listener, shared);
      servers.push(server);
      const { port } = server.address() as AddressInfo;
      addresses.push({ listener: listener.name, host: listener.host, port });
      log.info({ listener: listener.name, host: listener.host, port }, 'listening for Kafka clients');
    }
    if (options.socketPath !== undefined) {
      const { advertisedHost, advertisedPort = addresses[0]!.port } = options.listeners[0]!;
      servers.push(await listenLocally(options.socketPath, { advertisedHost, advertisedPort }, shared));
      log.info({ socket: options.socketPath }, 'listening for clients on this machine');
    }
  } catch (error) {
    await Promise.all([...servers.map(stopAccepting), expiry.close()]);
    throw error;
  }

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const accepted = servers.map(stopAccepting);
    for (const connection of connections) connection.drain();
    coordinator.close();
    await Promise.race([Promise.all(accepted), delay(DRAIN_MS, undefined, { ref: false })]);
    for (const connection of connections) connection.destroy();
    await Promise.all(accepted);
    await expiry.close();
    await engine.close();
  };

  const address = (): string => {
    const { advertisedHost, advertisedPort = addresses[0]?.port } = options.listeners[0]!;
    return `${advertisedHost}:${advertisedPort}`;
  };

  return {
    addresses,
    get connectionCount() {
      return connections.size;
    },
    registerMetrics(registry) {
      registerMetrics(registry, { engine, coordinator, connectionCount: () => connections.size, address });
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

interface Shared extends Omit<ConnectionOptions, 'listener'> {
  connections: Set<Connection>;
}

async function listen(listener: Listener, shared: Shared): Promise<Server> {
  const server = createServer((socket) => {
    const port = listener.advertisedPort ?? (server.address() as AddressInfo).port;
    accept(socket, { ...listener, advertisedPort: port }, shared);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listener.port, listener.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  reportErrors(server, listener.name, shared.log);
  return server;
}

/** Whoever asks there where the brokers are is told the address of the first listener. */
async function listenLocally(
  path: string,
  first: Pick<ConnectionOptions['listener'], 'advertisedHost' | 'advertisedPort'>,
  shared: Shared,
): Promise<Server> {
  const server = createServer((socket) => accept(socket, { name: SOCKET_LISTENER, ...first }, shared));
  await listenOnUnixSocket(server, path);
  reportErrors(server, SOCKET_LISTENER, shared.log);
  return server;
}

function accept(socket: Socket, listener: ConnectionOptions['listener'], { connections, ...shared }: Shared): void {
  if (connections.size >= shared.limits.connections) {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const limit = shared.limits.connections;
    shared.log.warn({ peer, listener: listener.name, limit }, 'connection refused: too many are open');
    socket.destroy();
    return;
  }
  const { name, advertisedHost, advertisedPort } = listener;
  const connection = new Connection(socket, { ...shared, listener: { name, advertisedHost, advertisedPort } });
  connections.add(connection);
  socket.once('close', () => connections.delete(connection));
}

function reportErrors(server: Server, listener: string, log: BrokerLog): void {
  server.on('error', (error) => log.error({ listener, err: error }, 'cannot accept a connection'));
}

/** Resolves when the last connection of the server is closed too. */
function stopAccepting(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
