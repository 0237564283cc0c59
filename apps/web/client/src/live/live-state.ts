import type { Differences, EquityPoint, LiveFrame, Overview, SymbolRow } from '../contract.ts';

/** `lost`: it was there before; the browser tries again by itself. */
export type Connection = 'connecting' | 'open' | 'lost';

/** Everything that the page knows from `/api/live`. Values are replaced, never changed in place. */
export interface LiveState {
  connection: Connection;
  overview: Overview | null;
  rows: ReadonlyMap<string, SymbolRow>;
  ranking: readonly string[];
  sparklines: Readonly<Record<string, readonly number[]>>;
  equity: Readonly<Record<string, readonly EquityPoint[]>>;
  differences: Differences;
}

export const MAX_DIFFERENCES = 200;
const MAX_MINUTES = 4_000;

export const EMPTY_STATE: LiveState = {
  connection: 'connecting',
  overview: null,
  rows: new Map(),
  ranking: [],
  sparklines: {},
  equity: {},
  differences: { total: 0, compared: 0, newest: [] },
};

export function mergeFrame(state: LiveState, frame: LiveFrame): LiveState {
  const before = frame.whole ? EMPTY_STATE : state;
  return {
    connection: 'open',
    overview: frame.overview,
    rows: mergeRows(before.rows, frame),
    ranking: sameList(state.ranking, frame.ranking) ? state.ranking : frame.ranking,
    sparklines: frame.sparklines ?? before.sparklines,
    equity: mergeEquity(before.equity, frame.equity),
    differences: mergeDifferences(before.differences, frame.differences),
  };
}

function mergeRows(rows: LiveState['rows'], frame: LiveFrame): LiveState['rows'] {
  if (frame.symbols.length === 0) return rows;
  const merged = new Map(rows);
  for (const row of frame.symbols) merged.set(row.symbol, row);
  const ranked = new Set(frame.ranking);
  for (const symbol of merged.keys()) if (!ranked.has(symbol)) merged.delete(symbol);
  return merged;
}

function mergeEquity(equity: LiveState['equity'], changed: LiveFrame['equity']): LiveState['equity'] {
  const models = Object.keys(changed);
  if (models.length === 0) return equity;
  const merged = { ...equity };
  for (const model of models) merged[model] = mergeSeries(merged[model] ?? [], changed[model]!);
  return merged;
}

/** Both ascend by minute. A minute that is there already takes its new value. */
export function mergeSeries(series: readonly EquityPoint[], changed: readonly EquityPoint[]): EquityPoint[] {
  const byMinute = new Map(series.map((point) => [point.minuteMs, point]));
  const lastMinuteMs = series.at(-1)?.minuteMs ?? Number.NEGATIVE_INFINITY;
  let ascending = true;
  for (const point of changed) {
    if (!byMinute.has(point.minuteMs) && point.minuteMs < lastMinuteMs) ascending = false;
    byMinute.set(point.minuteMs, point);
  }
  const merged = [...byMinute.values()];
  if (!ascending) merged.sort((a, b) => a.minuteMs - b.minuteMs);
  return merged.slice(-MAX_MINUTES);
}

function mergeDifferences(before: Differences, frame: Differences): Differences {
  if (frame.newest.length === 0) {
    return frame.total === before.total && frame.compared === before.compared
      ? before
      : { ...frame, newest: before.newest };
  }
  const known = new Set(before.newest.map(({ id }) => id));
  const fresh = frame.newest.filter(({ id }) => !known.has(id));
  return { ...frame, newest: [...fresh, ...before.newest].slice(0, MAX_DIFFERENCES) };
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
