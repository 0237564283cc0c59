import { UsageError } from '@tickfold/app-runtime';
import type { Service } from './contract.ts';

/** Where an app says how it is. */
export interface ServiceAddress {
  name: string;
  /** Without `/healthz`. */
  url: string;
}

/** `SERVICES`: `name=http://host:port` separated by commas. */
export function parseServices(text: string): ServiceAddress[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [name = '', url = ''] = entry.split(/=(.*)/s);
      if (name === '' || !URL.canParse(url)) {
        throw new UsageError(
          `SERVICES has "${entry}", which is not name=http://host:port.`,
          'Write SERVICES as broker=http://127.0.0.1:4101,ingest=http://127.0.0.1:4102.',
        );
      }
      return { name, url: url.replace(/\/$/, '') };
    });
}

/** What `/healthz` answered last; null where nothing did. */
export type HealthAnswer = Record<string, unknown> | null;
/** Null: nothing listens there. `late`: something does, and does not get round to answering. */
export type PollResult = HealthAnswer | 'late';

const ANSWER_LIMIT_MS = 900;
/** The web app's own place on the board: it asks itself without HTTP. */
export const SELF = 'web';

const IDENTITY = new Set(['app', 'instanceId', 'startedAtMs', 'ready', 'detail']);

/** What the page knows of each app, as a fold over the answers of its `/healthz`. */
export class ServiceBoard {
  readonly #services = new Map<string, { service: Service; instanceId: string | null; answer: HealthAnswer }>();

  constructor(names: readonly string[]) {
    for (const name of names) this.#services.set(name, { service: unseen(name), instanceId: null, answer: null });
  }

  apply(name: string, answer: PollResult, atMs: number): void {
    const entry = this.#services.get(name);
    if (!entry) return;
    const { service } = entry;
    if (answer === null) {
      if (service.state !== 'starting') {
        service.state = 'down';
        service.detail = 'does not answer; the supervisor restarts it';
      }
      return;
    }
    if (answer === 'late') {
      service.state = 'not-ready';
      service.detail = `busy: no answer within ${ANSWER_LIMIT_MS} ms`;
      return;
    }
    const instanceId = textOf(answer.instanceId);
    if (entry.instanceId !== null && instanceId !== entry.instanceId) {
      service.restartCount += 1;
      service.restartedAtMs = numberOf(answer.startedAtMs) ?? atMs;
    }
    entry.instanceId = instanceId;
    entry.answer = answer;
    service.state = answer.ready === true ? 'up' : 'not-ready';
    service.detail = textOf(answer.detail);
    service.startedAtMs = numberOf(answer.startedAtMs);
    service.status = shortStatus(answer);
  }

  list(): Service[] {
    return [...this.#services.values()].map(({ service }) => service);
  }

  find(name: string): Service | undefined {
    return this.#services.get(name)?.service;
  }

  /** The last answer of the app that runs this model, whole. */
  answerOfModel(model: string): HealthAnswer {
    for (const { answer } of this.#services.values()) if (answer?.model === model) return answer;
    return null;
  }
}

/** What an app says of itself in single values: this goes out four times a second. */
function shortStatus(answer: Record<string, unknown>): Service['status'] {
  const status: Service['status'] = {};
  for (const [field, value] of Object.entries(answer)) {
    if (IDENTITY.has(field)) continue;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') status[field] = value;
  }
  return status;
}

function unseen(name: string): Service {
  return {
    name,
    state: 'starting',
    detail: 'not seen yet',
    startedAtMs: null,
    restartCount: 0,
    restartedAtMs: null,
    status: {},
  };
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

/** Asks every app once; an app that is slow, gone or speaks something else has no answer. */
export async function pollServices(
  board: ServiceBoard,
  addresses: readonly ServiceAddress[],
  limitMs = ANSWER_LIMIT_MS,
): Promise<void> {
  await Promise.all(
    addresses.map(async ({ name, url }) => board.apply(name, await askHealth(url, limitMs), Date.now())),
  );
}

async function askHealth(url: string, limitMs: number): Promise<PollResult> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(limitMs) });
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : null;
  } catch (error) {
    return error instanceof Error && error.name === 'TimeoutError' ? 'late' : null;
  }
}
