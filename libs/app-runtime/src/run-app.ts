import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import type { Registry } from 'prom-client';
import { readPort, readText } from './env.ts';
import { describeError, UserError } from './errors.ts';
import { type Health, type HealthServer, serveHealth } from './health.ts';
import { LazyMetrics } from './lazy-metrics.ts';

/** What a running app is handed. */
export interface App {
  readonly name: string;
  readonly instanceId: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Logger;
  /** Made when it is first asked for. */
  readonly metrics: Registry;
  /** Calls back when the registry is made: for an app that has nothing to count until somebody asks. */
  onMetrics(register: (registry: Registry) => void): void;
  /** Aborted when the process is asked to end. `main` should return within two seconds. */
  readonly signal: AbortSignal;
  setReady(ready: boolean, detail?: string): void;
  /** Merged into the JSON of `/healthz`. */
  reportStatus(fields: Record<string, unknown>): void;
  /** The body of `/healthz`, for an app that serves it itself. */
  healthJson(): Health;
  isReady(): boolean;
}

export interface AppDefinition {
  name: string;
  main(app: App): Promise<void>;
  /** False where the app serves `/healthz`, `/readyz` and `/metrics` from a server of its own. */
  serveHealth?: boolean;
}

/** An app that has not returned by then after it was asked to end is ended. */
const SHUTDOWN_LIMIT_MS = 3_000;
/** How often a process under npm or a shell looks whether its parent is still there. */
const PARENT_CHECK_MS = 500;

/**
 * The whole life of an app's process: health server, orderly end, errors as a person should read them.
 *
 * Under the supervisor (an IPC channel is there) a Ctrl-C of the terminal is left to the supervisor, which ends the
 * apps in their order; when the supervisor itself is gone, the channel closes and the app ends.
 */
export function runApp(definition: AppDefinition): void {
  runToEnd(definition).then(
    (status) => process.exit(status),
    (error) => {
      printError(definition.name, error);
      process.exit(describeError(error).exitStatus);
    },
  );
}

async function runToEnd(definition: AppDefinition): Promise<number> {
  const { name } = definition;
  const stop = new AbortController();
  const log = createLogger(name);
  followShutdownRequests(stop, log);

  const metrics = new LazyMetrics();

  const identity = { app: name, instanceId: randomUUID(), startedAtMs: Date.now() };
  let readiness = { ready: false, detail: 'starting' };
  let status: Record<string, unknown> = {};
  const healthJson = (): Health => ({ ...status, ...identity, ...readiness });

  let health: HealthServer | undefined;
  if (definition.serveHealth !== false) {
    const host = readText(process.env, 'HEALTH_HOST', '127.0.0.1');
    const port = readPort(process.env, 'HEALTH_PORT', 0);
    health = await serveHealth({ host, port, health: healthJson, metrics: () => metrics.registry }).catch(
      (error: NodeJS.ErrnoException) => {
        throw new UserError(
          `${name}: the health server cannot listen on ${host}:${port} (${error.code ?? error.message}).`,
          'Set HEALTH_PORT to a free port, or to 0 for any.',
        );
      },
    );
    log.debug({ port: health.port }, 'health server listens');
  }

  const work = definition.main({
    name,
    instanceId: identity.instanceId,
    env: process.env,
    log,
    get metrics() {
      return metrics.registry;
    },
    onMetrics: (register) => metrics.whenMade(register),
    signal: stop.signal,
    setReady: (ready, detail = ready ? 'ok' : 'not ready') => {
      readiness = { ready, detail };
    },
    reportStatus: (fields) => {
      status = { ...status, ...fields };
    },
    healthJson,
    isReady: () => readiness.ready,
  });
  const tooLate = aborted(stop.signal).then(async () => {
    await delay(SHUTDOWN_LIMIT_MS);
    throw new UserError(
      `${name} did not end within ${SHUTDOWN_LIMIT_MS} ms and was ended.`,
      'Nothing to do: it resumes from the log.',
    );
  });
  await Promise.race([work, tooLate]);
  await health?.close();
  return 0;
}

/** Structured lines on standard output; LOG_LEVEL (default info) sets how many. */
function createLogger(name: string): Logger {
  return pino(
    {
      name,
      level: readText(process.env, 'LOG_LEVEL', 'info'),
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.destination({ dest: 1, sync: true }),
  );
}

function followShutdownRequests(stop: AbortController, log: Logger): void {
  const end = (reason: string): void => {
    if (stop.signal.aborted) return;
    log.debug({ reason }, 'ending');
    stop.abort(new Error(reason));
  };
  process.on('SIGTERM', () => end('SIGTERM'));
  if (process.channel) {
    process.on('SIGINT', () => {});
    process.on('disconnect', () => end('the supervisor is gone'));
    // The channel is only watched for its end: it must not keep a finished process alive.
    process.channel.unref();
  } else {
    process.on('SIGINT', () => end('SIGINT'));
  }
}

/**
 * Calls `onGone` when the process that started this one has ended. npm runs scripts through a shell that does not pass
 * every signal on, so a process that must not outlive its terminal has to look for itself.
 */
export function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) {
      clearInterval(timer);
      onGone();
    }
  }, PARENT_CHECK_MS);
  timer.unref();
}

/** Prints an error the way a person should meet it. */
export function printError(name: string, error: unknown): void {
  const { message, mend } = describeError(error);
  process.stderr.write(`${name}: ${message}\n${mend === undefined ? '' : `Mend: ${mend}\n`}`);
  if (process.env.LOG_LEVEL === 'debug' && error instanceof Error && error.stack)
    process.stderr.write(`${error.stack}\n`);
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
