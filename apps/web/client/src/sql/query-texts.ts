import type { QueryResult } from '../contract.ts';
import { count, UNKNOWN } from '../format.ts';

/** `12 rows in 0.31 s, from 12,345 records of market.enriched and 40 of history.` */
export function resultText({ rows, elapsedMs, read }: QueryResult): string {
  const sources = Object.entries(read).map(([name, records]) => `${count(records)} of ${name}`);
  const answer = `${count(rows.length)} ${rows.length === 1 ? 'row' : 'rows'} in ${(elapsedMs / 1_000).toFixed(2)} s`;
  return sources.length === 0 ? `${answer}.` : `${answer}; records read: ${sources.join(', ')}.`;
}

type Cell = QueryResult['rows'][number][number];

/** Numbers keep at most four decimals and tell their thousands apart. */
export function cellText(cell: Cell): string {
  if (cell === null) return UNKNOWN;
  if (typeof cell !== 'number') return String(cell);
  return cell.toLocaleString('en-US', { maximumFractionDigits: 4 }).replace('-', '−');
}

/** A column of numbers is read from its right edge. */
export function isNumeric(rows: QueryResult['rows'], column: number): boolean {
  const cells = rows.map((row) => row[column]).filter((cell) => cell !== null);
  return cells.length > 0 && cells.every((cell) => typeof cell === 'number');
}
