import { expect, test } from 'vitest';
import type { LiveFrame, Overview, SymbolRow } from '../contract.ts';
import { EMPTY_STATE, MAX_DIFFERENCES, mergeFrame, mergeSeries } from './live-state.ts';

const overview = { ticksPerSecond: 1 } as Overview;

function row(symbol: string, volume = 0): SymbolRow {
  return { symbol, volume } as SymbolRow;
}

function difference(id: string) {
  return { id, source: 's', symbol: 'BAC', eventTimeMs: 0, priceE4: 1, sides: [] };
}

function frame(changes: Partial<LiveFrame> = {}): LiveFrame {
  return {
    whole: false,
    overview,
    symbols: [],
    ranking: [],
    equity: {},
    differences: { total: 0, compared: 0, newest: [] },
    ...changes,
  };
}

test('a changed row replaces its own, the others stay the same objects', () => {
  const first = mergeFrame(EMPTY_STATE, frame({ whole: true, symbols: [row('A'), row('B')], ranking: ['A', 'B'] }));
  const second = mergeFrame(first, frame({ symbols: [row('B', 5)], ranking: ['A', 'B'] }));
  expect(second.rows.get('B')).toEqual(row('B', 5));
  expect(second.rows.get('A')).toBe(first.rows.get('A'));
  expect(second.ranking).toBe(first.ranking);
});

test('a symbol that left the ranking is forgotten', () => {
  const first = mergeFrame(EMPTY_STATE, frame({ whole: true, symbols: [row('A'), row('B')], ranking: ['A', 'B'] }));
  const second = mergeFrame(first, frame({ symbols: [row('C')], ranking: ['C', 'A'] }));
  expect([...second.rows.keys()].sort()).toEqual(['A', 'C']);
});

test('a whole frame replaces everything that was known before', () => {
  const before = mergeFrame(
    EMPTY_STATE,
    frame({
      whole: true,
      equity: { a: [{ minuteMs: 1, equityE4: 1 }] },
      differences: { total: 1, compared: 1, newest: [difference('x')] },
    }),
  );
  const after = mergeFrame(before, frame({ whole: true, equity: { b: [] } }));
  expect(after.equity).toEqual({ b: [] });
  expect(after.differences.newest).toEqual([]);
});

test('a frame opens the connection again', () => {
  expect(mergeFrame({ ...EMPTY_STATE, connection: 'lost' }, frame()).connection).toBe('open');
});

test('points of minutes that are known take their place, new ones are put in order', () => {
  const series = [
    { minuteMs: 1, equityE4: 1 },
    { minuteMs: 3, equityE4: 3 },
  ];
  const changed = [
    { minuteMs: 2, equityE4: 20 },
    { minuteMs: 3, equityE4: 30 },
    { minuteMs: 4, equityE4: 40 },
  ];
  expect(mergeSeries(series, changed).map(({ minuteMs, equityE4 }) => [minuteMs, equityE4])).toEqual([
    [1, 1],
    [2, 20],
    [3, 30],
    [4, 40],
  ]);
});

test('an equity that did not change stays the same object, so that no chart is drawn again', () => {
  const first = mergeFrame(EMPTY_STATE, frame({ whole: true, equity: { a: [{ minuteMs: 1, equityE4: 1 }] } }));
  expect(mergeFrame(first, frame()).equity).toBe(first.equity);
});

test('new differences come first, each once, and the oldest go', () => {
  const many = Array.from({ length: MAX_DIFFERENCES }, (_, index) => difference(`old-${index}`));
  const first = mergeFrame(
    EMPTY_STATE,
    frame({ whole: true, differences: { total: 200, compared: 300, newest: many } }),
  );
  const fresh = [difference('new'), difference('old-0')];
  const second = mergeFrame(first, frame({ differences: { total: 201, compared: 301, newest: fresh } }));
  expect(second.differences.newest.slice(0, 2).map(({ id }) => id)).toEqual(['new', 'old-0']);
  expect(second.differences.newest).toHaveLength(MAX_DIFFERENCES);
  expect(second.differences.total).toBe(201);
});
