import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { ResultPromise } from 'execa';
import { launch } from './launch.ts';

export interface ServiceSpec {
  name: string;
  /** The built entry file. */
  entry: string;
  env: Record<string, string>;
  /** Where `/readyz` answers. */
  healthUrl: string;
  /** Started when all of these have been ready once. */
  after?: string[];
  /** Limit of V8's old generation in MiB. */
  heapMiB?: number;
}

export type ServiceEvent =
  | { kind: 'started'; name: string; pid: number; attempt: number }
  | { kind: 'ready'; name: string; pid: number; attempt: number }
  | { kind: 'ended'; name: string; reason: string; restartInMs: number }
  | { kind: 'output'; name: string; stream: 'stdout' | 'stderr'; line: string };

/** A task failed, or a service ended before it was ready even once: restarting would only repeat that. */
export class ServiceFailed extends Error {
  readonly exitStatus: number;

  constructor(name: string, reason: string, exitStatus: number) {
    super(`${name} could not start: ${reason}`);
    this.name = 'ServiceFailed';
    this.exitStatus = exitStatus;
  }
}

const BACKOFF_FIRST_MS = 250;
const BACKOFF_MAX_MS = 10_000;
/** A service that was ready this long starts over with the shortest back-off. */
const STABLE_AFTER_MS = 30_000;
const READY_POLL_MS = 100;

/** One supervised process: started, watched, restarted with back-off, stopped. */
export class Service {
  readonly spec: ServiceSpec;
  /** Resolves when the service is ready for the first time. */
  readonly firstReady: Promise<void>;
  #markFirstReady!: () => void;
  #wasReady = false;
  #onEvent: (event: ServiceEvent) => void;
  #process: ResultPromise | undefined;
  #end: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(spec: ServiceSpec, onEvent: (event: ServiceEvent) => void) {
    this.spec = spec;
    this.#onEvent = onEvent;
    this.firstReady = new Promise((resolve) => {
      this.#markFirstReady = resolve;
    });
  }

  /** Runs and restarts the process until the signal aborts. @throws ServiceFailed */
  async run(signal: AbortSignal): Promise<void> {
    let backoffMs = BACKOFF_FIRST_MS;
    for (let attempt = 1; !signal.aborted && !this.#stopping; attempt++) {
      const started = Date.now();
      const { reason, exitStatus } = await this.#runOnce(attempt);
      if (signal.aborted || this.#stopping) return;
      if (!this.#wasReady && exitStatus !== undefined) throw new ServiceFailed(this.spec.name, reason, exitStatus);
      if (Date.now() - started > STABLE_AFTER_MS) backoffMs = BACKOFF_FIRST_MS;
      this.#onEvent({ kind: 'ended', name: this.spec.name, reason, restartInMs: backoffMs });
      await delay(backoffMs, undefined, { signal }).catch(() => {});
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
    }
  }

  /** Asks the process to end; resolves when it has. */
  stop(): Promise<void> {
    this.#stopping = true;
    this.#process?.kill('SIGTERM');
    return this.#end;
  }

  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  async #runOnce(attempt: number): Promise<{ reason: string; exitStatus: number | undefined }> {
    const { name, entry, env, heapMiB = 192 } = this.spec;
    const child = launch({
      name,
      entry,
      env,
      heapMiB,
      onLine: (stream, line) => this.#onEvent({ kind: 'output', name, stream, line }),
    });
    this.#process = child;
    const over = new AbortController();
    const result = child.then((ended) => {
      over.abort();
      return ended;
    });
    this.#end = result.then(() => {});
    this.#onEvent({ kind: 'started', name, pid: child.pid ?? 0, attempt });
    void this.#announceWhenReady(attempt, over.signal);
    const { exitCode, signal, shortMessage } = await result;
    if (exitCode !== undefined)
      return { reason: exitCode === 0 ? 'it ended by itself' : `exit status ${exitCode}`, exitStatus: exitCode };
    return { reason: signal ?? shortMessage ?? 'unknown', exitStatus: signal ? undefined : 1 };
  }

  async #announceWhenReady(attempt: number, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      if (await isReady(this.spec.healthUrl)) {
        this.#wasReady = true;
        this.#markFirstReady();
        this.#onEvent({ kind: 'ready', name: this.spec.name, pid: this.#process?.pid ?? 0, attempt });
        return;
      }
      await delay(READY_POLL_MS, undefined, { signal: over }).catch(() => {});
    }
  }
}

/** True when `/readyz` answers 200. A refused connection is simply "not yet". */
function isReady(healthUrl: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(`${healthUrl}/readyz`, { timeout: 2_000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on('error', () => resolve(false));
    call.on('timeout', () => call.destroy());
    call.end();
  });
}
