import { addDays, dateOfDayNumber, dayNumber, type TradingDate, weekdayOf } from './new-york-time.ts';

const SUNDAY = 0;
const MONDAY = 1;
const WEDNESDAY = 3;
const THURSDAY = 4;
const FRIDAY = 5;
const SATURDAY = 6;

/** Days on which the exchanges stayed shut for a reason of their own. */
const SPECIAL_CLOSURES = new Set<TradingDate>([
  '2001-09-11',
  '2001-09-12',
  '2001-09-13',
  '2001-09-14',
  '2004-06-11',
  '2007-01-02',
  '2012-10-29',
  '2012-10-30',
  '2018-12-05',
  '2025-01-09',
]);

/** Days that closed at 13:00 outside of the rules below. */
const SPECIAL_HALF_DAYS = new Set<TradingDate>(['1999-12-31', '2003-12-26']);

const holidaysByYear = new Map<number, ReadonlySet<TradingDate>>();

/** A weekday on which the US stock exchanges are closed; by the rules in force since 1998. */
export function isHoliday(date: TradingDate): boolean {
  const year = yearOf(date);
  let holidays = holidaysByYear.get(year);
  if (holidays === undefined) {
    holidays = new Set(holidaysOf(year));
    holidaysByYear.set(year, holidays);
  }
  return holidays.has(date) || SPECIAL_CLOSURES.has(date);
}

export function isTradingDay(date: TradingDate): boolean {
  const weekday = weekdayOf(date);
  return weekday !== SATURDAY && weekday !== SUNDAY && !isHoliday(date);
}

/** A trading day that closes at 13:00. */
export function isHalfDay(date: TradingDate): boolean {
  if (!isTradingDay(date)) return false;
  if (SPECIAL_HALF_DAYS.has(date)) return true;
  const year = yearOf(date);
  const monthAndDay = date.slice(5);
  if (date === addDays(thanksgivingOf(year), 1)) return true;
  if (monthAndDay === '12-24') return true;
  return isHalfDayAtIndependenceDay(year, monthAndDay, weekdayOf(date));
}

/**
 * The day before the Fourth of July. When the Fourth was a Thursday, the half-day was the Friday after it until 2012,
 * and has been the Wednesday before it since 2013.
 */
function isHalfDayAtIndependenceDay(year: number, monthAndDay: string, weekday: number): boolean {
  if (monthAndDay === '07-05') return weekday === FRIDAY && year < 2013;
  if (monthAndDay !== '07-03') return false;
  if (weekday === WEDNESDAY) return year >= 2013;
  return weekday === MONDAY || weekday === 2 || weekday === THURSDAY;
}

function holidaysOf(year: number): TradingDate[] {
  const holidays = [
    newYearsDayOf(year),
    nthWeekday(year, 1, MONDAY, 3), // Martin Luther King Jr. Day
    nthWeekday(year, 2, MONDAY, 3), // Washington's Birthday
    addDays(easterSundayOf(year), -2), // Good Friday
    lastMondayOfMay(year), // Memorial Day
    movedToWeekday(`${year}-07-04`),
    nthWeekday(year, 9, MONDAY, 1), // Labor Day
    thanksgivingOf(year),
    movedToWeekday(`${year}-12-25`),
  ];
  if (year >= 2022) holidays.push(movedToWeekday(`${year}-06-19`)); // Juneteenth
  return holidays;
}

/** A holiday on Saturday is kept on Friday, one on Sunday on Monday. */
function movedToWeekday(date: TradingDate): TradingDate {
  const weekday = weekdayOf(date);
  if (weekday === SATURDAY) return addDays(date, -1);
  return weekday === SUNDAY ? addDays(date, 1) : date;
}

/** New Year's Day on a Saturday is not kept: the Friday before is the old year's last trading day. */
function newYearsDayOf(year: number): TradingDate {
  const date = `${year}-01-01`;
  return weekdayOf(date) === SUNDAY ? addDays(date, 1) : date;
}

function thanksgivingOf(year: number): TradingDate {
  return nthWeekday(year, 11, THURSDAY, 4);
}

function lastMondayOfMay(year: number): TradingDate {
  const fourth = nthWeekday(year, 5, MONDAY, 4);
  const fifth = addDays(fourth, 7);
  return fifth.slice(5, 7) === '05' ? fifth : fourth;
}

function nthWeekday(year: number, month: number, weekday: number, n: number): TradingDate {
  const first = `${year}-${String(month).padStart(2, '0')}-01`;
  const daysToFirst = (weekday - weekdayOf(first) + 7) % 7;
  return dateOfDayNumber(dayNumber(first) + daysToFirst + 7 * (n - 1));
}

/** Gregorian computus, after Meeus, Jones and Butcher. */
function easterSundayOf(year: number): TradingDate {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const f = Math.floor((b + 8) / 25);
  const g = Math.floor((b - f + 1) / 3);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  const day = ((h + l - 7 * m + 114) % 31) + 1;
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

function yearOf(date: TradingDate): number {
  return Number(date.slice(0, 4));
}
