import { type App, aborted, UserError } from '@tickfold/app-runtime';
import { type Broker, startBroker } from '@tickfold/broker';
import { type EngineEvent, type LogEngine, openLogEngine } from '@tickfold/log-engine';
import { EVENT_LEVELS } from './event-levels.ts';
import { type BrokerSettings, readSettings } from './settings.ts';

const STATUS_INTERVAL_MS = 1_000;

/** Opens the log, serves it until the app is asked to end, closes both. */
export async function runBroker(app: App): Promise<void> {
  const settings = readSettings(app.env);
  const room: DiskRoom = { low: undefined };
  const onEvent = (event: EngineEvent): void => {
    if (event.kind === 'disk-low') room.low = `${event.detail}. ${event.mend}`;
    else if (event.kind === 'disk-roomy') room.low = undefined;
    logEvent(app, event);
  };
  const engine = await openLogEngine({ ...settings.engine, onEvent });
  const broker = await start(app, engine, settings);
  app.onMetrics((registry) => broker.registerMetrics(registry));

  reportVolumes(app, engine, room);
  const timer = setInterval(() => reportVolumes(app, engine, room), STATUS_INTERVAL_MS);
  await aborted(app.signal);
  clearInterval(timer);
  app.setReady(false, 'ending');
  await broker.close();
}

async function start(
  app: App,
  engine: LogEngine,
  { engine: { dataDir: settingsFolder }, ...settings }: BrokerSettings,
): Promise<Broker> {
  try {
    return await startBroker({ engine, ...settings, settingsFolder, log: app.log });
  } catch (error) {
    await engine.close();
    throw describePortProblem(error, settings.listeners);
  }
}

/** A listener's name is the variable that sets its port. */
function describePortProblem(error: unknown, listeners: BrokerSettings['listeners']): unknown {
  if (!(error instanceof Error) || !('code' in error) || !('port' in error)) return error;
  const listener = listeners.find(({ port }) => port === error.port);
  if (listener === undefined) return error;
  const { name, host, port } = listener;
  const why = error.code === 'EADDRINUSE' ? 'is taken by another process' : `cannot be used (${String(error.code)})`;
  return new UserError(`Port ${port} on ${host} ${why}.`, `Choose another one, such as ${name}=${port + 100}.`);
}

/** Why no data is taken for want of room, and what to do; undefined while there is room. */
interface DiskRoom {
  low: string | undefined;
}

/** A volume that stopped, or a disk that is nearly full, takes no more records: the app says so instead of "ready". */
function reportVolumes(app: App, engine: LogEngine, room: DiskRoom): void {
  const volumes = engine.volumes();
  app.reportStatus({ volumes });
  const stopped = volumes.find((volume) => volume.stopped !== undefined)?.stopped;
  if (stopped !== undefined) app.setReady(false, `${stopped.reason}. ${stopped.mend}`);
  else if (room.low !== undefined) app.setReady(false, room.low);
  else app.setReady(true);
}

function logEvent(app: App, { kind, ...fields }: EngineEvent): void {
  app.log[EVENT_LEVELS[kind]](fields, kind);
}
