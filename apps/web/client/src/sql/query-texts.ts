import type { QueryResult } from '../contract.ts';
import { count, UNKNOWN } from '../format.ts';

/** `12 rows in 0.31 s, from 12,345 records of market.enriched and 40 of history.` */
export function resultText({ rows, elapsedMs, read }: QueryResult): string {
  const sources = Object.entries(read).map(([name, records]) => `${count(records)} of ${name}`);
  const answer = `${count(rows.length)} ${rows.length === 1 ? 'row' : 'rows'} in ${(elapsedMs / 1_000).toFixed(2)} s`;
  return sources.length === 0 ? `${answer}.` : `${answer}; records read: ${sources.join(', ')}.`;
}

type Cell = QueryResult['rows'][number][number];

const MOST_DECIMALS = 4;

/** Decimals that the numbers of a column are written with, so that they stand below each other; null: no numbers. */
export function decimalsOf(rows: QueryResult['rows'], column: number): number | null {
  const cells = rows.map((row) => row[column]).filter((cell) => cell !== null);
  if (cells.length === 0 || !cells.every((cell) => typeof cell === 'number')) return null;
  const decimals = cells.map((number) => String(Number(number.toFixed(MOST_DECIMALS))).split('.')[1]?.length ?? 0);
  return Math.max(...decimals);
}

/** @param decimals of its column */
export function cellText(cell: Cell, decimals: number | null): string {
  if (cell === null) return UNKNOWN;
  if (typeof cell !== 'number') return String(cell);
  const digits = decimals ?? MOST_DECIMALS;
  const format = { minimumFractionDigits: decimals ?? 0, maximumFractionDigits: digits };
  return cell.toLocaleString('en-US', format).replace('-', '−');
}
