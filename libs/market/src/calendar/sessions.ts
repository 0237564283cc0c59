import { isHalfDay, isTradingDay } from './holidays.ts';
import { addDays, HOUR_MS, newYorkClock, newYorkDay, type TradingDate } from './new-york-time.ts';

export type Session = 'pre' | 'regular' | 'post' | 'closed';

/** Milliseconds since New York midnight. */
export const PRE_MARKET_OPEN_MS = 4 * HOUR_MS;
export const REGULAR_OPEN_MS = 9.5 * HOUR_MS;
export const REGULAR_CLOSE_MS = 16 * HOUR_MS;
export const HALF_DAY_CLOSE_MS = 13 * HOUR_MS;
export const POST_MARKET_CLOSE_MS = 20 * HOUR_MS;
/** On a half-day the late session ends four hours after the close, as on any day. */
export const HALF_DAY_POST_MARKET_CLOSE_MS = 17 * HOUR_MS;

/** When a trading day's regular session opens and closes, in UTC milliseconds. */
export interface SessionTimes {
  preOpenMs: number;
  openMs: number;
  closeMs: number;
  postCloseMs: number;
}

export function sessionTimes(date: TradingDate): SessionTimes {
  const day = newYorkDay(date);
  const half = isHalfDay(date);
  return {
    preOpenMs: day.toUtcMs(PRE_MARKET_OPEN_MS),
    openMs: day.toUtcMs(REGULAR_OPEN_MS),
    closeMs: day.toUtcMs(half ? HALF_DAY_CLOSE_MS : REGULAR_CLOSE_MS),
    postCloseMs: day.toUtcMs(half ? HALF_DAY_POST_MARKET_CLOSE_MS : POST_MARKET_CLOSE_MS),
  };
}

let lastDate: TradingDate | undefined;
let lastKind: 'closed' | 'half' | 'full' = 'closed';

/** The session that a UTC time falls into; an opening time belongs to its session, a closing time to the next. */
export function sessionOf(timeMs: number): Session {
  const { date, msOfDay } = newYorkClock(timeMs);
  if (date !== lastDate) {
    lastKind = !isTradingDay(date) ? 'closed' : isHalfDay(date) ? 'half' : 'full';
    lastDate = date;
  }
  if (lastKind === 'closed' || msOfDay < PRE_MARKET_OPEN_MS) return 'closed';
  if (msOfDay < REGULAR_OPEN_MS) return 'pre';
  const half = lastKind === 'half';
  if (msOfDay < (half ? HALF_DAY_CLOSE_MS : REGULAR_CLOSE_MS)) return 'regular';
  return msOfDay < (half ? HALF_DAY_POST_MARKET_CLOSE_MS : POST_MARKET_CLOSE_MS) ? 'post' : 'closed';
}

/** The last trading day before a date, which need not be one itself. */
export function tradingDayBefore(date: TradingDate): TradingDate {
  let day = addDays(date, -1);
  while (!isTradingDay(day)) day = addDays(day, -1);
  return day;
}

/** The first trading day after a date, which need not be one itself. */
export function tradingDayAfter(date: TradingDate): TradingDate {
  let day = addDays(date, 1);
  while (!isTradingDay(day)) day = addDays(day, 1);
  return day;
}

/** The `count` trading days before a date, oldest first. */
export function tradingDaysBefore(date: TradingDate, count: number): TradingDate[] {
  const days: TradingDate[] = [];
  for (let day = tradingDayBefore(date); days.length < count; day = tradingDayBefore(day)) days.push(day);
  return days.reverse();
}
