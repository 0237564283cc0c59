import type { TradingDate } from '@tickfold/market';
import type { History } from './history.ts';
import { previousSessions, tradeSizes, vwapFromDailyBars, vwapFromTrades } from './reference-sql.ts';
import { SizeDistribution } from './size-distribution.ts';

/** What a symbol's past says about a session. The SQL behind each number is in reference-sql.ts. */
export interface SymbolReference {
  symbol: string;
  /** Close of the last session before. */
  previousCloseE4: number;
  /** Mean shares a session, over `sessions` sessions. */
  averageVolume20: number;
  /** How many sessions there were to look at, at most 20. */
  sessions: number;
  /** Volume-weighted average price in 1/10,000 USD, not rounded. */
  vwap20E4: number;
  /** Volume-weighted standard deviation of prices around it. */
  vwapStdE4: number;
  /** How many sessions they are from. */
  vwapSessions: number;
  vwapBasis: 'trades' | 'daily-bars';
  tradeSizes: SizeDistribution;
}

/**
 * The references of all symbols with a past before the session; a symbol without one is absent.
 *
 * @param sessionDate nothing on or after it is looked at, whatever the history holds
 */
export async function loadReference(history: History, sessionDate: TradingDate): Promise<Map<string, SymbolReference>> {
  const parameters = { date: sessionDate };
  const sessions = await history.rows(previousSessions, parameters);
  const fromTrades = bySymbol(await history.rows(vwapFromTrades, parameters));
  const fromBars = bySymbol(await history.rows(vwapFromDailyBars, parameters));
  const sizes = sizesBySymbol(await history.rows(tradeSizes, parameters));

  const references = new Map<string, SymbolReference>();
  for (const row of sessions) {
    const symbol = String(row.symbol);
    const trades = fromTrades.get(symbol);
    const bars = fromBars.get(symbol);
    const tradesSuffice = trades !== undefined && Number(trades.sessions) >= Number(row.sessions);
    const vwap = tradesSuffice ? trades : (bars ?? trades);
    if (vwap === undefined) continue;
    references.set(symbol, {
      symbol,
      previousCloseE4: Math.round(Number(row.previous_close) * 10_000),
      averageVolume20: Number(row.average_volume),
      sessions: Number(row.sessions),
      vwap20E4: Number(vwap.vwap) * 10_000,
      vwapStdE4: Number(vwap.deviation) * 10_000,
      vwapSessions: Number(vwap.sessions),
      vwapBasis: vwap === trades ? 'trades' : 'daily-bars',
      tradeSizes: sizes.get(symbol) ?? new SizeDistribution(),
    });
  }
  return references;
}

type Row = Record<string, unknown>;

function bySymbol(rows: readonly Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [String(row.symbol), row]));
}

function sizesBySymbol(rows: readonly Row[]): Map<string, SizeDistribution> {
  const distributions = new Map<string, SizeDistribution>();
  for (const { symbol, half_hour, size, trades } of rows) {
    const name = String(symbol);
    let distribution = distributions.get(name);
    if (distribution === undefined) {
      distribution = new SizeDistribution();
      distributions.set(name, distribution);
    }
    distribution.add(Number(half_hour), Number(size), Number(trades));
  }
  return distributions;
}
