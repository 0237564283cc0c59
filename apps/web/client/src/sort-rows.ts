import type { SymbolRow } from './contract.ts';

/** `activity` is the server's own order. */
export type SortKey = 'activity' | 'symbol' | 'last' | 'change' | 'volume' | 'relativeVolume' | 'vwapDeviation';

const VALUES: Record<Exclude<SortKey, 'activity' | 'symbol'>, (row: SymbolRow) => number | null> = {
  last: (row) => row.lastPriceE4 ?? row.lastOfferE4,
  change: (row) => row.changeBps,
  volume: (row) => row.volume || row.offerCount,
  relativeVolume: (row) => row.relativeVolume,
  vwapDeviation: (row) => row.vwapDeviation,
};

/** A row whose value is not known comes last in either direction. */
export function sortRows(
  rows: readonly SymbolRow[],
  sort: { key: SortKey; descending: boolean },
): readonly SymbolRow[] {
  const { key, descending } = sort;
  if (key === 'activity') return rows;
  const direction = descending ? -1 : 1;
  if (key === 'symbol') return [...rows].sort((a, b) => (a.symbol < b.symbol ? -direction : direction));
  const measure = VALUES[key];
  return [...rows].sort((a, b) => {
    const left = measure(a);
    const right = measure(b);
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return (left - right) * direction;
  });
}
