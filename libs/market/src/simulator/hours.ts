import { isHalfDay, isTradingDay } from '../calendar/holidays.ts';
import type { TradingDate } from '../calendar/new-york-time.ts';
import { HALF_DAY_CLOSE_MS, PRE_MARKET_OPEN_MS, REGULAR_CLOSE_MS, REGULAR_OPEN_MS } from '../calendar/sessions.ts';

/** Seconds since New York midnight between which a simulated session runs. */
export interface SimulatedHours {
  /** First second with ticks. */
  start: number;
  open: number;
  close: number;
  /** First second without ticks. */
  end: number;
}

/** The session ends shortly after the close, so that the end of the day is seen too. */
const SECONDS_AFTER_CLOSE = 300;

/**
 * @param startAt HH:MM in New York
 * @throws RangeError when the date is no trading day, or the session would not start before its close
 */
export function simulatedHours(date: TradingDate, startAt: string): SimulatedHours {
  if (!isTradingDay(date)) {
    throw new RangeError(`${date} is no trading day: give a day on which the New York exchanges are open.`);
  }
  const match = /^(\d\d):(\d\d)$/.exec(startAt);
  const start = match ? Number(match[1]) * 3600 + Number(match[2]) * 60 : Number.NaN;
  const close = (isHalfDay(date) ? HALF_DAY_CLOSE_MS : REGULAR_CLOSE_MS) / 1000;
  if (!(start >= PRE_MARKET_OPEN_MS / 1000 && start < close)) {
    throw new RangeError(`A simulated session cannot start at ${startAt}: give HH:MM from 04:00 to before the close.`);
  }
  return { start, open: REGULAR_OPEN_MS / 1000, close, end: close + SECONDS_AFTER_CLOSE };
}

export function isRegular(second: number, hours: SimulatedHours): boolean {
  return second >= hours.open && second < hours.close;
}
