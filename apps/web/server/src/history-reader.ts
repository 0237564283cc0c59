import { stat } from 'node:fs/promises';
import { type History, openHistory } from '@tickfold/history';
import type { HistoricDay } from './contract.ts';
import type { HistoryFacts } from './dashboard-state.ts';

const SESSIONS = 20;
/** Lookups of one symbol are small. */
const MEMORY_LIMIT = '64MB';
/** An open history holds about 15 MB; opening it again takes some 30 ms. */
const IDLE_MS = 10_000;

/**
 * `history.duckdb` as it is published now: a new one replaces it by a rename, and is opened when it is next asked for.
 * It is closed again when nobody has asked for a while.
 */
export class HistoryReader {
  readonly #path: string;
  readonly #idleMs: number;
  #open: { inode: bigint; history: History } | undefined;
  #opening: Promise<History | undefined> | undefined;
  #facts: { inode: bigint; facts: HistoryFacts } | undefined;
  #lookups = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(path: string, idleMs = IDLE_MS) {
    this.#path = path;
    this.#idleMs = idleMs;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Undefined while nothing is published. @throws HistoryError when what is there cannot be read */
  async facts(): Promise<HistoryFacts | undefined> {
    const inode = await inodeOf(this.#path);
    if (inode === undefined || inode !== this.#facts?.inode) await this.#lookUp(async () => {});
    return this.#facts?.facts;
  }

  /** Oldest first; none where nothing is published. */
  async earlierDays(symbol: string): Promise<HistoricDay[]> {
    const bars = (await this.#lookUp((history) => history.dailyBars(symbol, SESSIONS))) ?? [];
    return bars.map(({ date, openE4, highE4, lowE4, closeE4, volume }) => ({
      date,
      openE4: Math.round(openE4),
      highE4: Math.round(highE4),
      lowE4: Math.round(lowE4),
      closeE4: Math.round(closeE4),
      volume,
    }));
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#open?.history.close();
    this.#open = undefined;
  }

  async #lookUp<T>(ask: (history: History) => Promise<T>): Promise<T | undefined> {
    clearTimeout(this.#idle);
    this.#lookups += 1;
    try {
      const history = await this.#current();
      return history && (await ask(history));
    } finally {
      this.#lookups -= 1;
      if (this.#lookups === 0) this.#idle = setTimeout(() => this.close(), this.#idleMs).unref();
    }
  }

  #current(): Promise<History | undefined> {
    this.#opening ??= this.#openCurrent().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openCurrent(): Promise<History | undefined> {
    const inode = await inodeOf(this.#path);
    if (inode === undefined) return this.#open?.history;
    if (this.#open?.inode === inode) return this.#open.history;
    const history = await openHistory(this.#path, { memoryLimit: MEMORY_LIMIT });
    this.#open?.history.close();
    this.#open = { inode, history };
    this.#facts = { inode, facts: { origin: history.meta.origin, standIns: history.meta.standIns } };
    return history;
  }
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  try {
    return (await stat(path, { bigint: true })).ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
