import { setTimeout as delay } from 'node:timers/promises';
import { Service, type ServiceEvent, type ServiceSpec } from './service.ts';
import { runTask, type TaskSpec } from './task.ts';

/** Everything that runs: first the tasks, one after the other, then the services, each when those it waits for are ready. */
export interface Topology {
  tasks: TaskSpec[];
  services: ServiceSpec[];
}

export interface SuperviseOptions {
  topology: Topology;
  /** Ends everything when aborted. */
  signal: AbortSignal;
  onEvent: (event: ServiceEvent) => void;
  /** Called once, when every service is ready for the first time. */
  onAllReady: () => void;
}

/** Services that have not ended by then after SIGTERM are killed. Twice this stays under the five seconds promised. */
const STOP_LIMIT_MS = 2_200;

/**
 * Runs a topology until the signal aborts, restarting services that die. Resolves when every process has ended.
 * @throws ServiceFailed when a task fails, or when a service refuses to start at all (a taken port, a wrong option)
 */
export async function supervise({ topology, signal, onEvent, onAllReady }: SuperviseOptions): Promise<void> {
  for (const task of topology.tasks) {
    if (signal.aborted) return;
    await runTask(task, { signal });
  }
  if (signal.aborted) return;

  const services = new Map<string, Service>();
  const stopped = new AbortController();
  const stopRequested = AbortSignal.any([signal, stopped.signal]);
  const runs: Promise<void>[] = [];
  try {
    for (const spec of topology.services) {
      const service = new Service(spec, onEvent);
      services.set(spec.name, service);
    }
    for (const service of services.values()) {
      runs.push(startWhenNeeded(service, services, stopRequested));
    }
    const allReady = Promise.all([...services.values()].map((service) => service.firstReady));
    const failed = Promise.all(runs);
    const asked = untilAborted(signal);
    await Promise.race([allReady.then(onAllReady), failed, asked]);
    await Promise.race([failed, asked]);
  } finally {
    stopped.abort();
    await stopAll([...services.values()]);
    await Promise.allSettled(runs);
  }
}

async function startWhenNeeded(service: Service, all: Map<string, Service>, signal: AbortSignal): Promise<void> {
  const needed = (service.spec.after ?? []).map((name) => {
    const other = all.get(name);
    if (!other) throw new Error(`Service ${service.spec.name} waits for ${name}, which is not in the topology.`);
    return other.firstReady;
  });
  await Promise.race([Promise.all(needed), untilAborted(signal)]);
  if (!signal.aborted) await service.run(signal);
}

/** The last started first, so that whatever others lean on outlives them; all but the first are ended side by side. */
async function stopAll(services: Service[]): Promise<void> {
  const [ground, ...others] = services;
  await stopTogether(others);
  if (ground) await stopTogether([ground]);
}

async function stopTogether(services: Service[]): Promise<void> {
  const ends = services.map((service) => service.stop());
  const limit = new AbortController();
  await Promise.race([Promise.all(ends), delay(STOP_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => {})]);
  limit.abort();
  for (const service of services) service.kill();
  await Promise.all(ends);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
