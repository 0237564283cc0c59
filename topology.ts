import { fileURLToPath } from 'node:url';
import type { Topology } from '@tickfold/supervisor';

/** What a start can be told. */
export interface Settings {
  source: string;
  /** How many times faster than real time events happen; 0: as fast as it goes. Undefined: the source's own default. */
  speed: number | undefined;
  /** `YYYY-MM-DD`, for feeds that do not say it themselves. */
  date: string | undefined;
  seed: number;
  dataDir: string;
  host: string;
  webPort: number;
  brokerPort: number;
  brokerInternalPort: number | undefined;
  /** `host:port,…` of an Apache Kafka cluster that takes the place of the broker here. */
  kafkaBrokers?: string | undefined;
  models: string[];
}

/**
 * Everything that `npm start` starts, in the order of a tick's way:
 *
 *     history ─► history.duckdb ─┐
 *     ingest ─► market.ticks ─► enrichment ─► market.enriched ─┬─► analytics ─► model-reversion-1.* ─┐
 *                                                              └─► analytics ─► model-reversion-2.* ─┴─► decisions ─► live.*
 *     web: all of these topics on a page
 *
 * Every box is a process of its own. They share the broker's topics and published files, nothing else. On an Apache Kafka
 * cluster the broker is not started, and the apps are told where the cluster is instead.
 *
 * @param healthPorts a free port for the health server of every service but web
 */
export function topology(settings: Settings, healthPorts: ReadonlyMap<string, number>): Topology {
  const { host, dataDir, kafkaBrokers } = settings;
  const streams: Record<string, string> =
    kafkaBrokers === undefined
      ? { BROKERS: `${localName(host)}:${settings.brokerPort}` }
      : { STREAM_ENGINE: 'kafka', KAFKA_BROKERS: kafkaBrokers };
  const common = { DATA_DIR: dataDir, ...streams };
  const source = {
    SOURCE: settings.source,
    SIM_SEED: String(settings.seed),
    ...(settings.speed === undefined ? {} : { SPEED: String(settings.speed) }),
    ...(settings.date === undefined ? {} : { SOURCE_DATE: settings.date }),
  };
  const health = (name: string): { healthUrl: string; port: string } => {
    const port = healthPorts.get(name);
    if (port === undefined) throw new Error(`No health port was chosen for ${name}.`);
    return { healthUrl: `http://127.0.0.1:${port}`, port: String(port) };
  };
  const service = (
    name: string,
    app: string,
    env: Record<string, string>,
    more: { after?: string[]; heapMiB?: number } = {},
  ) => ({
    name,
    entry: builtEntry(app),
    env: { ...common, ...env, HEALTH_PORT: health(name).port },
    healthUrl: health(name).healthUrl,
    ...more,
  });

  const broker = () =>
    service('broker', 'broker', {
      HOST: host,
      BROKER_PORT: String(settings.brokerPort),
      ...(settings.brokerInternalPort === undefined
        ? {}
        : { BROKER_INTERNAL_PORT: String(settings.brokerInternalPort) }),
    });
  const brokers = kafkaBrokers === undefined ? [broker()] : [];
  const after = brokers.map(({ name }) => name);
  const pipeline = [
    ...brokers,
    service('ingest', 'ingest', source, { after }),
    service('enrichment', 'enrichment', source, { after }),
    ...settings.models.map((model) => service(model, 'analytics', { MODEL: model }, { after })),
    service('decisions', 'decisions', { MODELS: settings.models.join(',') }, { after }),
  ];
  const web = {
    name: 'web',
    entry: builtEntry('web/server'),
    env: {
      ...common,
      HOST: host,
      PORT: String(settings.webPort),
      MODELS: settings.models.join(','),
      SERVICES: pipeline.map(({ name, healthUrl }) => `${name}=${healthUrl}`).join(','),
    },
    healthUrl: `http://${localName(host)}:${settings.webPort}`,
    after,
  };
  return {
    tasks: [{ name: 'history', entry: builtEntry('history'), env: { ...common, ...source } }],
    services: [...pipeline, web],
  };
}

/** Names of the services that get a health port of their own. */
export function serviceNames(settings: Pick<Settings, 'models'>): string[] {
  return ['broker', 'ingest', 'enrichment', ...settings.models, 'decisions'];
}

function builtEntry(app: string): string {
  return fileURLToPath(new URL(`../apps/${app}/dist/main.js`, import.meta.url));
}

/** A wildcard address is reached by its loopback name. */
function localName(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}
