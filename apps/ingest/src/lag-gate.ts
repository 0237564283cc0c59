import { setTimeout as delay } from 'node:timers/promises';
import { groups, topics } from '@tickfold/market';
import type { StreamAdmin } from '@tickfold/stream';

/** How often the lag is asked for while it is too large. */
const ASK_AGAIN_MS = 100;

export interface LagGateOptions {
  admin: StreamAdmin;
  /** Records that enrichment may be behind. */
  lagMax: number;
  signal: AbortSignal;
  /** Told when the gate closes and opens. */
  onWaiting(waiting: boolean): void;
  /** Makes visible what was sent: only that can enrichment catch up with. */
  commit(): Promise<void>;
}

/**
 * Keeps ingest from running away from enrichment: a slow consumer slows its source, and the volume's cap never takes
 * ticks that nobody has read. As long as the group has committed nothing there is nobody to wait for.
 */
export class LagGate {
  readonly #options: LagGateOptions;
  readonly #askEvery: number;
  #sentSinceAsked = 0;

  constructor(options: LagGateOptions) {
    this.#options = options;
    this.#askEvery = Math.max(1, Math.floor(options.lagMax / 10));
  }

  /** Counts a record that is sent. @returns true when it is time to `pass` */
  count(): boolean {
    return ++this.#sentSinceAsked >= this.#askEvery;
  }

  /** Resolves once enrichment is near enough. */
  async pass(): Promise<void> {
    const { signal, onWaiting, lagMax, commit } = this.#options;
    this.#sentSinceAsked = 0;
    let waiting = false;
    while (!signal.aborted && (await this.#lag()) > lagMax) {
      if (!waiting) {
        onWaiting(true);
        await commit();
      }
      waiting = true;
      await delay(ASK_AGAIN_MS, undefined, { signal }).catch(() => {});
    }
    if (waiting) onWaiting(false);
  }

  async #lag(): Promise<number> {
    const { admin } = this.#options;
    const committed = await admin.committedOffsets(groups.enrichment, topics.ticks);
    if (committed.size === 0) return 0;
    let lag = 0;
    for (const { partition, logStart, high } of await admin.watermarks(topics.ticks)) {
      lag += Number(high - (committed.get(partition) ?? logStart));
    }
    return lag;
  }
}
