import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { KeptSettings } from './configs/kept-settings.ts';
import { Connection } from './connection.ts';
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
  type Limits,
  type Listener,
} from './options.ts';
import { RequestMemory } from './request-memory.ts';
import type { Route } from './route.ts';
import { routesOf } from './routes.ts';

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

/**
 * Serves the Kafka protocol over the engine's log on every listener.
 * @throws Error with `code` (`EADDRINUSE`, `EACCES`) and `port` where a listener cannot have its port, with `mend` where
 * the file of settings is damaged
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
  for (const listener of options.listeners) {
    try {
      const server = await listen(listener, { routes, limits, memory, frameMemory, log, connections });
      servers.push(server);
      const { port } = server.address() as AddressInfo;
      addresses.push({ listener: listener.name, host: listener.host, port });
      log.info({ listener: listener.name, host: listener.host, port }, 'listening for Kafka clients');
    } catch (error) {
      await Promise.all([...servers.map(stopAccepting), expiry.close()]);
      throw error;
    }
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

interface Shared {
  routes: ReadonlyMap<number, Route>;
  limits: Limits;
  memory: RequestMemory;
  frameMemory: FrameMemory;
  log: BrokerLog;
  connections: Set<Connection>;
}

function listen(
  listener: Listener,
  { routes, limits, memory, frameMemory, log, connections }: Shared,
): Promise<Server> {
  const accept = (socket: Socket): void => {
    if (connections.size >= limits.connections) {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      log.warn({ peer, listener: listener.name, limit: limits.connections }, 'connection refused: too many are open');
      socket.destroy();
      return;
    }
    const advertisedPort = listener.advertisedPort ?? (server.address() as AddressInfo).port;
    const { name, advertisedHost } = listener;
    const connection = new Connection(socket, {
      routes,
      limits,
      memory,
      frameMemory,
      log,
      listener: { name, advertisedHost, advertisedPort },
    });
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  };

  const server = createServer(accept);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(listener.port, listener.host, () => {
      server.off('error', reject);
      server.on('error', (error) => log.error({ listener: listener.name, err: error }, 'cannot accept a connection'));
      resolve(server);
    });
  });
}

/** Resolves when the last connection of the server is closed too. */
function stopAccepting(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
