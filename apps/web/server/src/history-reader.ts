import { stat } from 'node:fs/promises';
import { type History, openHistory } from '@tickfold/history';
import type { HistoricDay } from './contract.ts';
import type { HistoryFacts } from './dashboard-state.ts';

const SESSIONS = 20;
/** Lookups of one symbol are small. */
const MEMORY_LIMIT = '64MB';

/** `history.duckdb` as it is published now: a new one replaces it by a rename, and is opened when it is next asked for. */
export class HistoryReader {
  readonly #path: string;
  #open: { inode: bigint; history: History } | undefined;
  #opening: Promise<History | undefined> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined while nothing is published. @throws HistoryError when what is there cannot be read */
  async facts(): Promise<HistoryFacts | undefined> {
    const history = await this.#current();
    return history && { origin: history.meta.origin, standIns: history.meta.standIns };
  }

  /** Oldest first; none where nothing is published. */
  async earlierDays(symbol: string): Promise<HistoricDay[]> {
    const history = await this.#current();
    if (!history) return [];
    const bars = await history.dailyBars(symbol, SESSIONS);
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
    this.#open?.history.close();
    this.#open = undefined;
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
