import { DuckDBDateValue, DuckDBDecimalValue, DuckDBTimestampValue, type DuckDBValue } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { type Cell, plainCell } from './plain-rows.ts';

test.each<[DuckDBValue, Cell]>([
  [null, null],
  ['text', 'text'],
  [true, true],
  [1.5, 1.5],
  [Number.NaN, null],
  [Number.POSITIVE_INFINITY, null],
  [42n, 42],
  [2n ** 60n, '1152921504606846976'],
  [new DuckDBDecimalValue(1_015_000n, 18, 4), 101.5],
  [new DuckDBDecimalValue(2n ** 60n, 38, 4), '115292150460684.6976'],
  [new DuckDBTimestampValue(1_381_239_000_123_000n), '2013-10-08T13:30:00.123Z'],
  [new DuckDBDateValue(15_986), '2013-10-08'],
])('%s is %j in JSON', (value, cell) => {
  expect(plainCell(value)).toBe(cell);
});
