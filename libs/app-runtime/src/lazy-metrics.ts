import { createRequire } from 'node:module';
import type { Registry } from 'prom-client';

const load = createRequire(import.meta.url);

/**
 * The process's metrics. prom-client brings some ninety files, a fifth of what a broker needs to start: so it is loaded
 * when somebody first asks, and its default metrics count from then on.
 */
export class LazyMetrics {
  #registry: Registry | undefined;
  #waiting: ((registry: Registry) => void)[] = [];

  get registry(): Registry {
    if (this.#registry === undefined) {
      const { collectDefaultMetrics, Registry } = load('prom-client') as typeof import('prom-client');
      this.#registry = new Registry();
      collectDefaultMetrics({ register: this.#registry });
      for (const register of this.#waiting.splice(0)) register(this.#registry);
    }
    return this.#registry;
  }

  /** Calls back with the registry once it is made. */
  whenMade(register: (registry: Registry) => void): void {
    if (this.#registry === undefined) this.#waiting.push(register);
    else register(this.#registry);
  }
}
