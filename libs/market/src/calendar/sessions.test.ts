import { expect, test } from 'vitest';
import { isHalfDay, isHoliday, isTradingDay } from './holidays.ts';
import { dayNumber, formatNewYork, newYorkClock, newYorkDay, newYorkToUtcMs } from './new-york-time.ts';
import { sessionOf, sessionTimes, tradingDayAfter, tradingDayBefore, tradingDaysBefore } from './sessions.ts';

const at = (date: string, hours: number, minutes = 0) => newYorkToUtcMs(date, (hours * 60 + minutes) * 60_000);

test('New York is four hours behind UTC in summer and five in winter', () => {
  expect(new Date(at('2013-10-08', 9, 30)).toISOString()).toBe('2013-10-08T13:30:00.000Z');
  expect(new Date(at('2013-12-10', 9, 30)).toISOString()).toBe('2013-12-10T14:30:00.000Z');
});

test('on the days that the clock changes, both sides of 02:00 have their own offset', () => {
  expect(new Date(at('2013-03-10', 1, 59)).toISOString()).toBe('2013-03-10T06:59:00.000Z');
  expect(new Date(at('2013-03-10', 3)).toISOString()).toBe('2013-03-10T07:00:00.000Z');
  expect(new Date(at('2013-11-03', 0, 30)).toISOString()).toBe('2013-11-03T04:30:00.000Z');
  expect(new Date(at('2013-11-03', 2)).toISOString()).toBe('2013-11-03T07:00:00.000Z');
});

test('the Mondays after the clock changes open at their new hour of UTC', () => {
  expect(new Date(sessionTimes('2025-03-07').openMs).toISOString()).toBe('2025-03-07T14:30:00.000Z');
  expect(new Date(sessionTimes('2025-03-10').openMs).toISOString()).toBe('2025-03-10T13:30:00.000Z');
  expect(new Date(sessionTimes('2025-11-03').openMs).toISOString()).toBe('2025-11-03T14:30:00.000Z');
});

test('a wall-clock time becomes UTC and back, on every hour of a year of days', () => {
  for (let day = dayNumber('2024-01-01'); day < dayNumber('2025-01-01'); day++) {
    const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
    for (let hour = 3; hour < 24; hour++) {
      const msOfDay = hour * 3_600_000 + 1_234;
      expect(newYorkClock(newYorkDay(date).toUtcMs(msOfDay))).toEqual({ date, msOfDay });
    }
  }
});

test('times are shown as New York sees them', () => {
  expect(formatNewYork(at('2013-10-08', 16) + 7)).toBe('2013-10-08 16:00:00.007');
});

test('a date that is none is refused', () => {
  for (const text of ['2013-02-30', '2013-1-1', 'today', '20131008']) expect(() => newYorkDay(text)).toThrow(text);
});

test('the holidays of 2013 and 2025 are those that the exchange published', () => {
  expect(holidaysIn(2013)).toEqual([
    ...['2013-01-01', '2013-01-21', '2013-02-18', '2013-03-29', '2013-05-27'],
    ...['2013-07-04', '2013-09-02', '2013-11-28', '2013-12-25'],
  ]);
  expect(holidaysIn(2025)).toEqual([
    ...['2025-01-01', '2025-01-09', '2025-01-20', '2025-02-17', '2025-04-18', '2025-05-26'],
    ...['2025-06-19', '2025-07-04', '2025-09-01', '2025-11-27', '2025-12-25'],
  ]);
});

test('a holiday on a weekend moves to the next weekday, but New Year never into the old year', () => {
  expect(isHoliday('2021-07-05')).toBe(true);
  expect(isHoliday('2020-07-03')).toBe(true);
  expect(isHoliday('2021-12-24')).toBe(true);
  expect(isHoliday('2022-12-26')).toBe(true);
  expect(isHoliday('2023-01-02')).toBe(true);
  expect(isTradingDay('2021-12-31')).toBe(true);
});

test('Juneteenth is kept from 2022 on', () => {
  expect(isTradingDay('2021-06-18')).toBe(true);
  expect(isTradingDay('2022-06-20')).toBe(false);
  expect(isTradingDay('2024-06-19')).toBe(false);
});

test('Good Friday follows Easter', () => {
  const goodFridays = ['1998-04-10', '2008-03-21', '2011-04-22', '2024-03-29', '2030-04-19'];
  for (const date of goodFridays) expect(isHoliday(date), date).toBe(true);
});

test('special closures are no trading days', () => {
  const closures = ['2001-09-11', '2001-09-12', '2001-09-13', '2001-09-14', '2004-06-11'];
  closures.push('2007-01-02', '2012-10-29', '2012-10-30', '2018-12-05', '2025-01-09');
  for (const date of closures) expect(isTradingDay(date), date).toBe(false);
  for (const date of ['2001-09-10', '2001-09-17', '2012-10-31']) expect(isTradingDay(date), date).toBe(true);
});

test('half-days are the day after Thanksgiving, Christmas Eve, and the eve of the Fourth of July', () => {
  const halfDays = ['2013-11-29', '2013-12-24', '2013-07-03', '2012-07-03', '2025-07-03', '2024-12-24', '2002-07-05'];
  for (const date of halfDays) expect(isHalfDay(date), date).toBe(true);
  const others = ['2002-07-03', '2013-07-05', '2020-07-02', '2021-12-23', '2021-07-02', '2022-12-23', '2013-10-08'];
  for (const date of others) expect(isHalfDay(date), date).toBe(false);
});

test('a trading year has 250 to 253 days, except where closures took some', () => {
  const counts = new Map<number, number>();
  for (let year = 1998; year <= 2030; year++) counts.set(year, 0);
  for (let day = dayNumber('1998-01-01'); day < dayNumber('2031-01-01'); day++) {
    const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
    if (isTradingDay(date)) counts.set(Number(date.slice(0, 4)), counts.get(Number(date.slice(0, 4)))! + 1);
  }
  expect(counts.get(2001)).toBe(248);
  expect(counts.get(2012)).toBe(250);
  expect(counts.get(2013)).toBe(252);
  expect(counts.get(2025)).toBe(250);
  for (const [year, count] of counts) if (year !== 2001) expect(count, `${year}`).toBeGreaterThanOrEqual(250);
  for (const [year, count] of counts) expect(count, `${year}`).toBeLessThanOrEqual(253);
});

test('a session owns its opening time and not its closing time', () => {
  const day = '2013-10-08';
  const sessions = [
    [at(day, 4) - 1, 'closed'],
    [at(day, 4), 'pre'],
    [at(day, 9, 30) - 1, 'pre'],
    [at(day, 9, 30), 'regular'],
    [at(day, 16) - 1, 'regular'],
    [at(day, 16), 'post'],
    [at(day, 20) - 1, 'post'],
    [at(day, 20), 'closed'],
    [at('2013-10-06', 12), 'closed'],
    [at('2013-07-04', 12), 'closed'],
  ] as const;
  for (const [timeMs, session] of sessions) expect(sessionOf(timeMs), formatNewYork(timeMs)).toBe(session);
});

test('a half-day closes at 13:00 and its late session at 17:00', () => {
  expect(sessionOf(at('2013-11-29', 13) - 1)).toBe('regular');
  expect(sessionOf(at('2013-11-29', 13))).toBe('post');
  expect(sessionOf(at('2013-11-29', 17))).toBe('closed');
});

test('the trading days before and after step over weekends, holidays and closures', () => {
  expect(tradingDayBefore('2013-10-08')).toBe('2013-10-07');
  expect(tradingDayBefore('2013-10-07')).toBe('2013-10-04');
  expect(tradingDayAfter('2012-10-26')).toBe('2012-10-31');
  expect(tradingDayAfter('2001-09-10')).toBe('2001-09-17');
  expect(tradingDayBefore('2026-01-04')).toBe('2026-01-02');
  expect(tradingDaysBefore('2013-10-08', 3)).toEqual(['2013-10-03', '2013-10-04', '2013-10-07']);
});

function holidaysIn(year: number): string[] {
  const holidays: string[] = [];
  for (let day = dayNumber(`${year}-01-01`); day < dayNumber(`${year + 1}-01-01`); day++) {
    const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
    if (isHoliday(date)) holidays.push(date);
  }
  return holidays;
}
