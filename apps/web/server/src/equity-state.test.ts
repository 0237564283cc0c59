import { expect, test } from 'vitest';
import { equityMark, OPEN_MS } from '../test/records.ts';
import { changedPoints, EquityState, maxDrawdownE4 } from './equity-state.ts';

const minute = (index: number) => OPEN_MS + index * 60_000;

test('a minute is the sum of what each partition last said up to then', () => {
  const state = new EquityState();
  state.apply(0, equityMark({ minuteMs: minute(0), equityE4: 100 }));
  state.apply(0, equityMark({ minuteMs: minute(2), equityE4: 300 }));
  state.apply(1, equityMark({ minuteMs: minute(1), equityE4: -50 }));
  expect(state.series()).toEqual([
    { minuteMs: minute(0), equityE4: 100 },
    { minuteMs: minute(1), equityE4: 50 },
    { minuteMs: minute(2), equityE4: 250 },
  ]);
});

test('a partition that runs behind changes the minutes that it arrives at', () => {
  const state = new EquityState();
  state.apply(0, equityMark({ minuteMs: minute(0), equityE4: 100 }));
  state.apply(0, equityMark({ minuteMs: minute(1), equityE4: 100 }));
  const before = state.series();
  state.apply(1, equityMark({ minuteMs: minute(1), equityE4: 7 }));
  expect(changedPoints(before, state.series())).toEqual([{ minuteMs: minute(1), equityE4: 107 }]);
});

test('the summary adds the newest mark of every partition', () => {
  const state = new EquityState();
  state.apply(0, equityMark({ minuteMs: minute(3), cashE4: 5, positionValueE4: 20, equityE4: 25, feesE4: 1 }));
  state.apply(1, equityMark({ minuteMs: minute(1), cashE4: -3, positionValueE4: 0, equityE4: -3, feesE4: 2 }));
  expect(state.summary()).toMatchObject({
    cashE4: 2,
    positionValueE4: 20,
    equityE4: 22,
    feesE4: 3,
    eventTimeMs: minute(3),
  });
});

test('without any mark the figures are unknown, not zero', () => {
  expect(new EquityState().summary()).toMatchObject({ equityE4: null, maxDrawdownE4: null });
});

test('a drawdown is the deepest fall from an earlier high, the start at 0 included', () => {
  const series = (...values: number[]) => values.map((equityE4, index) => ({ minuteMs: minute(index), equityE4 }));
  expect(maxDrawdownE4(series(10, 50, 20, 60, 55))).toBe(30);
  expect(maxDrawdownE4(series(-40, -10))).toBe(40);
  expect(maxDrawdownE4(series(1, 2, 3))).toBe(0);
});
