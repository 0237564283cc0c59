import type { TradingDate } from '@tickfold/market';
import { type Database, openReadOnly } from './database.ts';
import { unreadableHistoryError } from './errors.ts';
import { type HistoryMeta, metaOf } from './meta.ts';

export interface Bar {
  openE4: number;
  highE4: number;
  lowE4: number;
  closeE4: number;
  /** Shares. */
  volume: number;
  /** Number of trades; null where the feed's daily bars do not say it. */
  trades: number | null;
  /** Volume-weighted average price in 1/10,000 USD; null likewise. */
  vwapE4: number | null;
}

export interface MinuteBar extends Bar {
  /** UTC milliseconds at which the minute begins. */
  minuteMs: number;
}

export interface DailyBar extends Bar {
  date: TradingDate;
  /** Whether it was derived from trades or read from the feed's own daily bars. */
  basis: 'trades' | 'file';
}

/** A published history, opened for reading. Many processes may have it open at once. */
export interface History {
  readonly meta: HistoryMeta;
  /** Minutes of [fromMs, toMs) in which the symbol traded, oldest first. */
  minuteBars(symbol: string, fromMs: number, toMs: number): Promise<MinuteBar[]>;
  /** The last `count` days of the symbol, oldest first. */
  dailyBars(symbol: string, count: number): Promise<DailyBar[]>;
  /** Symbols with daily bars, sorted. */
  symbols(): Promise<string[]>;
  /** Rows of any query, as objects by column; numbers as numbers, decimals as text. */
  rows(sql: string, parameters?: Record<string, string | number>): Promise<Record<string, unknown>[]>;
  /** Gives file and memory back; the history is of no use afterwards. */
  close(): void;
}

/**
 * @param options.memoryLimit of DuckDB, such as `128MB`
 * @throws HistoryError when there is no such file, or it is no history of this version
 */
export async function openHistory(path: string, options: { memoryLimit?: string } = {}): Promise<History> {
  const database = await openReadOnly(path, options.memoryLimit ?? '128MB').catch((error) => {
    throw unreadableHistoryError(path, error);
  });
  try {
    return new OpenHistory(database, await metaOf(database));
  } catch (error) {
    database.close();
    throw unreadableHistoryError(path, error);
  }
}

const barColumns = `
  (open * 10000)::DOUBLE AS "openE4", (high * 10000)::DOUBLE AS "highE4", (low * 10000)::DOUBLE AS "lowE4",
  (close * 10000)::DOUBLE AS "closeE4", volume::DOUBLE AS volume, trades::DOUBLE AS trades, vwap * 10000 AS "vwapE4"`;

class OpenHistory implements History {
  readonly meta: HistoryMeta;
  readonly #database: Database;

  constructor(database: Database, meta: HistoryMeta) {
    this.#database = database;
    this.meta = meta;
  }

  async minuteBars(symbol: string, fromMs: number, toMs: number): Promise<MinuteBar[]> {
    const rows = await this.rows(
      `SELECT epoch_ms(minute)::DOUBLE AS "minuteMs", ${barColumns}
       FROM minute_bars
       WHERE symbol = $symbol AND minute >= make_timestamp_ms($from::BIGINT) AND minute < make_timestamp_ms($to::BIGINT)
       ORDER BY minute`,
      { symbol, from: fromMs, to: toMs },
    );
    return rows as unknown as MinuteBar[];
  }

  async dailyBars(symbol: string, count: number): Promise<DailyBar[]> {
    const rows = await this.rows(
      `SELECT session_date::VARCHAR AS date, basis, ${barColumns}
       FROM daily_bars
       WHERE symbol = $symbol
       ORDER BY session_date DESC
       LIMIT $count::BIGINT`,
      { symbol, count },
    );
    return (rows as unknown as DailyBar[]).reverse();
  }

  async symbols(): Promise<string[]> {
    const rows = await this.rows('SELECT DISTINCT symbol FROM daily_bars ORDER BY symbol');
    return rows.map(({ symbol }) => String(symbol));
  }

  async rows(sql: string, parameters: Record<string, string | number> = {}): Promise<Record<string, unknown>[]> {
    const reader = await this.#database.connection.runAndReadAll(sql, parameters);
    return reader.getRowObjectsJS() as Record<string, unknown>[];
  }

  close(): void {
    this.#database.close();
  }
}
