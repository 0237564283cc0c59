import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceEvent, ServiceSpec } from '../src/index.ts';
import { freePort } from '../src/index.ts';

/** A service as small as can be: ready at once, ends on SIGTERM and when its supervisor is gone. */
const PLAIN_SERVICE = `
import { createServer } from 'node:http';
createServer((request, response) => response.end('{}')).listen(Number(process.env.HEALTH_PORT), '127.0.0.1');
console.log('pid ' + process.pid);
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
`;

export interface Fixture {
  folder: string;
  service(name: string, options?: { source?: string; after?: string[] }): Promise<ServiceSpec>;
  remove(): void;
}

export function createFixture(): Fixture {
  const folder = mkdtempSync(join(tmpdir(), 'tickfold-supervisor-'));
  return {
    folder,
    service: async (name, { source = PLAIN_SERVICE, after = [] } = {}) => {
      const entry = join(folder, `${name}.mjs`);
      writeFileSync(entry, source);
      const port = await freePort();
      return { name, entry, env: { HEALTH_PORT: String(port) }, healthUrl: `http://127.0.0.1:${port}`, after };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Collects events and lets a test wait for one. */
export class EventLog {
  readonly events: ServiceEvent[] = [];
  #waiting: { matches: (event: ServiceEvent) => boolean; resolve: (event: ServiceEvent) => void }[] = [];

  readonly add = (event: ServiceEvent): void => {
    this.events.push(event);
    for (const waiter of this.#waiting.filter(({ matches }) => matches(event))) {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.resolve(event);
    }
  };

  /** The first event, past or to come, that matches. */
  until(matches: (event: ServiceEvent) => boolean): Promise<ServiceEvent> {
    const past = this.events.find(matches);
    return past ? Promise.resolve(past) : new Promise((resolve) => this.#waiting.push({ matches, resolve }));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
