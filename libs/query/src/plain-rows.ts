import {
  DuckDBDateValue,
  DuckDBDecimalValue,
  type DuckDBResultReader,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';

export type Cell = string | number | boolean | null;

/** Rows as JSON can carry them: numbers as numbers where they stay exact or were floating anyway, all else as text. */
export function plainRows(reader: DuckDBResultReader): Cell[][] {
  return reader.getRows().map((row) => row.map(plainCell));
}

export function plainCell(value: DuckDBValue): Cell {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof DuckDBDecimalValue) {
    return Number.isSafeInteger(Number(value.value)) ? value.toDouble() : value.toString();
  }
  if (value instanceof DuckDBTimestampValue) return `${new Date(Number(value.micros / 1_000n)).toISOString()}`;
  if (value instanceof DuckDBDateValue) return value.toString();
  return String(value);
}
