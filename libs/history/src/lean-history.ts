import type { DuckDBConnection } from '@duckdb/node-api';
import type { FeedSource, LeanFactor, LeanFolder, TradingDate } from '@tickfold/market';
import type { HistorySource, HistoryTarget } from './build-history.ts';

/** Trades of more days than the features look back are not loaded. */
const MOST_TRADE_SESSIONS = 20;

/**
 * The past of one session of a LEAN folder: real trades of earlier days, as far as the folder has them, and the real
 * daily bars. Both reach years past the session in such a folder: nothing from the session's own date on is read in.
 */
export function leanHistory(
  folder: LeanFolder,
  feed: Pick<FeedSource, 'identity' | 'description' | 'eventDate'>,
): HistorySource {
  const sessionDate = feed.eventDate;
  return {
    identity: feed.identity,
    description: feed.description,
    origin: 'real',
    sessionDate,
    async fill(target) {
      const symbols = folder.symbols();
      const splits = new Map<string, Splits>();
      for (const symbol of symbols) splits.set(symbol, new Splits(await folder.factors(symbol), sessionDate));
      await loadDailyBars(target.connection, folder, sessionDate, splits);
      const earlierDates = folder.tickDates().filter((date) => date < sessionDate);
      const tradeDates = earlierDates.slice(-MOST_TRADE_SESSIONS);
      await loadTrades(target, folder, tradeDates, splits);
      return { standIns: standInsFor(tradeDates.length) };
    },
  };
}

/**
 * Share splits between a day and the session the history is for. A raw price is multiplied by the split factor of the
 * first row on or after its day; dividing by the session's own factor expresses it in the session's shares. Dividends
 * are left alone: a previous close is the price that was paid.
 */
export class Splits {
  readonly #factors: readonly LeanFactor[];
  readonly #atSession: number;

  constructor(factors: readonly LeanFactor[], sessionDate: TradingDate) {
    this.#factors = factors;
    this.#atSession = this.#rawFactor(sessionDate);
  }

  /** What a price of that day is multiplied by, and a number of shares divided by. */
  factor(date: TradingDate): number {
    return this.#rawFactor(date) / this.#atSession;
  }

  #rawFactor(date: TradingDate): number {
    return this.#factors.find((row) => row.date >= date)?.splitFactor ?? 1;
  }
}

async function loadDailyBars(
  connection: DuckDBConnection,
  folder: LeanFolder,
  sessionDate: TradingDate,
  splits: ReadonlyMap<string, Splits>,
): Promise<void> {
  await connection.run(`
    CREATE TEMP TABLE stage_bars (
      symbol VARCHAR, date VARCHAR, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE
    )`);
  const appender = await connection.createAppender('stage_bars', 'main', 'temp');
  for (const [symbol, symbolSplits] of splits) {
    const bars = await folder.dailyBars(symbol);
    for (const bar of bars.filter(({ date }) => date < sessionDate)) {
      const factor = symbolSplits.factor(bar.date);
      appender.appendVarchar(symbol);
      appender.appendVarchar(bar.date);
      for (const priceE4 of [bar.openE4, bar.highE4, bar.lowE4, bar.closeE4]) appender.appendDouble(priceE4 * factor);
      appender.appendDouble(bar.volume / factor);
      appender.endRow();
    }
  }
  appender.closeSync();
  await connection.run(`
    INSERT INTO daily_bars
    SELECT symbol, date::DATE,
           round(open)::BIGINT * 0.0001, round(high)::BIGINT * 0.0001,
           round(low)::BIGINT * 0.0001, round(close)::BIGINT * 0.0001,
           round(volume)::BIGINT, NULL, NULL, 'file'
    FROM stage_bars
    ORDER BY symbol, date;
    DROP TABLE temp.stage_bars`);
}

async function loadTrades(
  { trades, onProgress }: HistoryTarget,
  folder: LeanFolder,
  dates: readonly TradingDate[],
  splits: ReadonlyMap<string, Splits>,
): Promise<void> {
  const symbols = [...splits];
  for (const [dateIndex, date] of dates.entries()) {
    await trades.beginSession(date);
    for (const [symbolIndex, [symbol, symbolSplits]] of symbols.entries()) {
      const factor = symbolSplits.factor(date);
      for await (const chunk of folder.trades(symbol, date)) {
        for (const trade of chunk) {
          trades.add(factor === 1 ? trade : adjusted(trade, factor));
        }
      }
      onProgress((dateIndex + (symbolIndex + 1) / symbols.length) / dates.length);
    }
  }
}

function adjusted<T extends { priceE4: number; size: number }>(trade: T, factor: number): T {
  return { ...trade, priceE4: Math.round(trade.priceE4 * factor), size: Math.round(trade.size / factor) };
}

function standInsFor(tradeSessions: number): string[] {
  if (tradeSessions >= MOST_TRADE_SESSIONS) return [];
  return [
    `The feed holds trades of ${tradeSessions} earlier ${tradeSessions === 1 ? 'session' : 'sessions'}, fewer than ${MOST_TRADE_SESSIONS}: the 20-session VWAP and ` +
      'its deviation are those of daily bars, with (high + low + close) / 3 for the price.',
  ];
}
