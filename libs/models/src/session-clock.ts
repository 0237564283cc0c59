import { addDays, isTradingDay, newYorkClock, newYorkToUtcMs, sessionTimes } from '@tickfold/market';

/** The regular session of a New York day, remembered because every tick asks for it. */
export interface SessionClock {
  dayStartMs: number;
  dayEndMs: number;
  openMs: number;
  closeMs: number;
}

/** Knows no day yet. */
export function startClock(): SessionClock {
  return { dayStartMs: 0, dayEndMs: 0, openMs: 0, closeMs: 0 };
}

/** True in the regular session, its opening time included. Sets the clock to the day of that time. */
export function inSession(clock: SessionClock, timeMs: number): boolean {
  if (timeMs < clock.dayStartMs || timeMs >= clock.dayEndMs) setDay(clock, timeMs);
  return timeMs >= clock.openMs && timeMs < clock.closeMs;
}

function setDay(clock: SessionClock, timeMs: number): void {
  const { date } = newYorkClock(timeMs);
  const { openMs, closeMs } = sessionTimes(date);
  clock.dayStartMs = newYorkToUtcMs(date, 0);
  clock.dayEndMs = newYorkToUtcMs(addDays(date, 1), 0);
  clock.openMs = openMs;
  clock.closeMs = isTradingDay(date) ? closeMs : openMs;
}
