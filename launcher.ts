import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printError, readInteger, readPort, readText, UsageError, UserError, watchParent } from '@tickfold/app-runtime';
import { FeedError, isDate, openSource, parseSourceSpec, type SourceSpec, simulatorDefaults } from '@tickfold/market';
import { connect, streamConfigFromEnv } from '@tickfold/stream';
import { freePort, type ServiceEvent, supervise } from '@tickfold/supervisor';
import { Command, CommanderError } from 'commander';
import { type Settings, serviceNames, topology } from './topology.ts';

/** Who starts a system wants to know at once that its cluster is not there. */
const CLUSTER_ANSWERS_WITHIN_MS = 8_000;
const REPOSITORY = dirname(fileURLToPath(new URL('.', import.meta.url)));

/**
 * `npm start` after set-up: reads the options, starts the topology, tells the terminal what happens.
 *
 * @param arguments_ the options as typed, without node and script
 * @returns the exit status
 */
export async function launch(arguments_: string[]): Promise<number> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', end);
  watchParent(end);
  try {
    const settings = readSettings(arguments_, process.env);
    if (settings === undefined) return 0;
    await checkPlace(settings);
    if (settings.kafkaBrokers !== undefined) await checkCluster(process.env, stop.signal);
    await checkSource(settings);
    const healthPorts = new Map<string, number>();
    for (const name of serviceNames(settings)) healthPorts.set(name, await freePort());

    const startedAtMs = Date.now();
    stop.signal.addEventListener('abort', () => say('ending…'), { once: true });
    await supervise({
      topology: topology(settings, healthPorts),
      signal: stop.signal,
      onEvent: tellTerminal,
      onAllReady: () => {
        const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
        say(`all services are ready after ${seconds} s`);
        process.stdout.write(`\n  Tickfold is up:  http://${displayName(settings.host)}:${settings.webPort}\n`);
        const brokers = settings.kafkaBrokers ?? `${displayName(settings.host)}:${settings.brokerPort}`;
        process.stdout.write(`  Kafka clients:   ${brokers}\n  Ctrl-C ends it.\n\n`);
      },
    });
    say('everything has ended');
    return 0;
  } catch (error) {
    printError('tickfold', error);
    return error instanceof UserError ? error.exitStatus : 1;
  }
}

function readSettings(arguments_: string[], env: NodeJS.ProcessEnv): Settings | undefined {
  const command = new Command('npm start --')
    .description('Starts Tickfold on this machine: every app as a process of its own.')
    .option(
      '--source <spec>',
      'sim, taq:PATH (file or folder) or lean:PATH (LEAN data folder)',
      readText(env, 'SOURCE', 'sim'),
    )
    .option('--speed <n>', 'times real time; 1 is real time, 0 as fast as it goes (default: 60)', env.SPEED)
    .option('--date <date>', 'session date as YYYY-MM-DD, where the feed has none or several', env.SOURCE_DATE)
    .option('--seed <n>', 'seed of the simulator', env.SIM_SEED ?? String(simulatorDefaults.seed))
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .allowExcessArguments(false);
  try {
    command.parse(arguments_, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    const message = error instanceof Error ? error.message.replace(/^error: /, '') : String(error);
    throw new UsageError(`${message}.`, 'npm start -- --help lists the options.');
  }
  const options = command.opts<{ source: string; speed?: string; date?: string; seed: string }>();
  const speed = options.speed === undefined ? undefined : Number(options.speed);
  if (speed !== undefined && (options.speed === '' || !Number.isFinite(speed) || speed < 0)) {
    throw new UsageError(
      `--speed ${options.speed} is not a number of 0 or more.`,
      'Give 1 for real time, 60 for a minute a second, 0 for as fast as it goes.',
    );
  }
  if (options.date !== undefined && !isDate(options.date)) {
    throw new UsageError(`--date ${options.date} is not a date.`, 'Give it as YYYY-MM-DD, such as 2013-10-08.');
  }
  const seed = readInteger({ '--seed': options.seed }, '--seed', simulatorDefaults.seed, {
    min: 0,
    max: 4_294_967_295,
  });
  return {
    source: readSource(options.source),
    speed,
    date: options.date,
    seed,
    dataDir: resolve(REPOSITORY, readText(env, 'DATA_DIR', 'data/volumes')),
    host: readText(env, 'HOST', '127.0.0.1'),
    webPort: readPort(env, 'PORT', 3000),
    brokerPort: readPort(env, 'BROKER_PORT', 9092),
    brokerInternalPort: env.BROKER_INTERNAL_PORT ? readPort(env, 'BROKER_INTERNAL_PORT', 9094) : undefined,
    kafkaBrokers: readCluster(env),
    models: readText(env, 'MODELS', 'reversion-1,reversion-2')
      .split(',')
      .map((name) => name.trim()),
  };
}

/** The cluster that takes the place of the broker here; undefined on the embedded engine. @throws StreamError */
function readCluster(env: NodeJS.ProcessEnv): string | undefined {
  const { engine, brokers } = streamConfigFromEnv(env, 'tickfold');
  return engine === 'kafka' ? brokers.join(',') : undefined;
}

/** Asks the cluster once, so that one that is not there is told before anything starts. @throws StreamError */
async function checkCluster(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  const config = streamConfigFromEnv(env, 'tickfold');
  const client = await connect({ ...config, connectTimeoutMs: CLUSTER_ANSWERS_WITHIN_MS }, signal);
  await client.close();
  say(`streams: Apache Kafka at ${config.brokers.join(', ')}`);
}

/** The source as the apps are told it: a path is relative to where the command was typed. */
function readSource(text: string): string {
  try {
    const spec = parseSourceSpec(text);
    return spec.kind === 'sim'
      ? spec.kind
      : `${spec.kind}:${resolve(process.env.INIT_CWD ?? process.cwd(), spec.path)}`;
  } catch (error) {
    if (error instanceof FeedError) throw new UsageError(`--source ${text}: ${error.message}`, error.mend);
    throw error;
  }
}

/** Opens the source once, so that a missing file or a damaged zip is told before anything starts. @throws FeedError */
async function checkSource({ source, date, seed }: Settings): Promise<void> {
  const spec: SourceSpec = parseSourceSpec(source);
  const feed = await openSource(spec, { ...(date === undefined ? {} : { date }), sim: { seed } });
  say(`source: ${feed.description}`);
  for (const warning of feed.warnings) say(`source: ${warning}`);
}

/** Looks at folder and ports before anything starts, so that the first message is the one that helps. */
async function checkPlace({ dataDir, host, webPort, brokerPort, kafkaBrokers }: Settings): Promise<void> {
  try {
    makeFolder(dataDir);
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new UserError(
      `The data folder ${dataDir} cannot be written (${code}).`,
      'Make it writable, or set DATA_DIR to another folder.',
    );
  }
  await checkPort(host, webPort, 'PORT');
  if (kafkaBrokers === undefined) await checkPort(host, brokerPort, 'BROKER_PORT');
}

/** One folder after the other: Node's own recursive mkdir does not return where the file system keeps saying ENOENT, as /proc does. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

function checkPort(host: string, port: number, variable: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${error.code})`;
      reject(
        new UserError(
          `Port ${port} on ${host} ${reason}.`,
          `End that program, or choose another port: ${variable}=${port + 1} npm start`,
        ),
      );
    });
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

function tellTerminal(event: ServiceEvent): void {
  if (event.kind === 'ready') say(`${event.name} is ${event.attempt === 1 ? 'ready' : 'back'} (pid ${event.pid})`);
  if (event.kind === 'ended') say(`${event.name} died (${event.reason}); restarting in ${event.restartInMs / 1000} s`);
  if (event.kind === 'output') tellOutput(event);
}

/** An app's warnings and errors reach the terminal; the rest of its log only with LOG_LEVEL=info or lower. */
function tellOutput({ name, stream, line }: { name: string; stream: 'stdout' | 'stderr'; line: string }): void {
  if (stream === 'stderr') {
    process.stderr.write(`${name} | ${line}\n`);
    return;
  }
  const record = parseLogLine(line);
  const verbose = process.env.LOG_LEVEL !== undefined;
  if (record === undefined || record.level >= 40 || verbose) say(`${name} | ${record?.msg ?? line}`);
}

function parseLogLine(line: string): { level: number; msg: string } | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const record = JSON.parse(line) as { level?: unknown; msg?: unknown };
    return typeof record.level === 'number' ? { level: record.level, msg: String(record.msg ?? line) } : undefined;
  } catch {
    // Not one of our log lines: it is shown as it came.
    return undefined;
  }
}

function say(text: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)}Z  ${text}\n`);
}

function displayName(host: string): string {
  return host === '127.0.0.1' || host === '0.0.0.0' ? 'localhost' : host;
}
