/** `YYYY-MM-DD`, a day in New York. */
export type TradingDate = string;

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

const offsetFormat = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
});

/** Intl is asked once per hour of the time line: New York's offset only ever changes on the hour. */
const offsetByHour = new Map<number, number>();
const OFFSET_CACHE_LIMIT = 100_000;
let lastHour = Number.NaN;
let lastOffsetMs = 0;

/** Milliseconds to add to UTC for New York's wall clock: -18,000,000 in winter, -14,400,000 in summer. */
export function newYorkOffsetMs(timeMs: number): number {
  const hour = Math.floor(timeMs / HOUR_MS);
  if (hour === lastHour) return lastOffsetMs;
  let offsetMs = offsetByHour.get(hour);
  if (offsetMs === undefined) {
    offsetMs = askOffsetMs(hour * HOUR_MS);
    if (offsetByHour.size >= OFFSET_CACHE_LIMIT) offsetByHour.clear();
    offsetByHour.set(hour, offsetMs);
  }
  lastHour = hour;
  lastOffsetMs = offsetMs;
  return offsetMs;
}

function askOffsetMs(timeMs: number): number {
  const part: Record<string, number> = {};
  for (const { type, value } of offsetFormat.formatToParts(timeMs)) part[type] = Number(value);
  const wallMs = Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!);
  return wallMs - timeMs;
}

/** Where a UTC time falls in New York. */
export function newYorkClock(timeMs: number): { date: TradingDate; msOfDay: number } {
  const wallMs = timeMs + newYorkOffsetMs(timeMs);
  const day = Math.floor(wallMs / DAY_MS);
  return { date: dateOfDayNumber(day), msOfDay: wallMs - day * DAY_MS };
}

/** A New York day whose offset is looked up once: what a feed converts its ticks with. */
export interface NewYorkDay {
  readonly date: TradingDate;
  /** UTC milliseconds of a wall-clock time, given in milliseconds since midnight (0 to 86,399,999). */
  toUtcMs(msOfDay: number): number;
}

/** @throws RangeError when the text is no `YYYY-MM-DD` of the calendar */
export function newYorkDay(date: TradingDate): NewYorkDay {
  const midnightAsUtcMs = dayNumber(date) * DAY_MS;
  // The clock is put forward or back at 02:00; both sides are the same on every other day.
  const offsetBeforeMs = newYorkOffsetMs(midnightAsUtcMs + 5 * HOUR_MS);
  const offsetAfterMs = newYorkOffsetMs(midnightAsUtcMs + 12 * HOUR_MS);
  return {
    date,
    toUtcMs: (msOfDay) => midnightAsUtcMs + msOfDay - (msOfDay < 2 * HOUR_MS ? offsetBeforeMs : offsetAfterMs),
  };
}

/** UTC milliseconds of a New York wall-clock time. For many times of one day take `newYorkDay`. */
export function newYorkToUtcMs(date: TradingDate, msOfDay: number): number {
  return newYorkDay(date).toUtcMs(msOfDay);
}

/** Days since 1970-01-01. @throws RangeError when the text is no `YYYY-MM-DD` of the calendar */
export function dayNumber(date: TradingDate): number {
  const timeMs = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(timeMs) || new Date(timeMs).toISOString().slice(0, 10) !== date) {
    throw new RangeError(`${date} is not a date of the form YYYY-MM-DD.`);
  }
  return timeMs / DAY_MS;
}

export function isDate(text: string): boolean {
  try {
    dayNumber(text);
    return true;
  } catch {
    return false;
  }
}

/** Ticks come day by day: the last answer is nearly always the next one. */
let lastDay = Number.NaN;
let lastDate: TradingDate = '';

export function dateOfDayNumber(day: number): TradingDate {
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, 10);
    lastDay = day;
  }
  return lastDate;
}

/** 0 Sunday to 6 Saturday. */
export function weekdayOf(date: TradingDate): number {
  return (((dayNumber(date) + 4) % 7) + 7) % 7;
}

export function addDays(date: TradingDate, days: number): TradingDate {
  return dateOfDayNumber(dayNumber(date) + days);
}

/** `2013-10-08 09:30:00.123` in New York, for people. */
export function formatNewYork(timeMs: number): string {
  const { date, msOfDay } = newYorkClock(timeMs);
  return `${date} ${new Date(msOfDay).toISOString().slice(11, 23)}`;
}
