/** How numbers and times are written on the page. `E4` is 1/10,000 USD; times are UTC milliseconds. */

export type Zone = 'new-york' | 'utc';

/** Shown where nothing is known; never a zero. */
export const UNKNOWN = '–';

const MINUS = '\u2212';
const ZONE_NAMES: Record<Zone, string> = { 'new-york': 'America/New_York', utc: 'UTC' };

function timeFormat(zone: Zone, parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', { timeZone: ZONE_NAMES[zone], hourCycle: 'h23', ...parts });
}

function formatsOf(zone: Zone) {
  return {
    clock: timeFormat(zone, { hour: '2-digit', minute: '2-digit', second: '2-digit' }),
    minute: timeFormat(zone, { hour: '2-digit', minute: '2-digit' }),
    zoneName: timeFormat(zone, { timeZoneName: 'short' }),
    date: timeFormat(zone, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }),
  };
}

// Making a format costs far more than using it.
const FORMATS = { 'new-york': formatsOf('new-york'), utc: formatsOf('utc') };

/** `09:41:07` */
export function clockTime(timeMs: number, zone: Zone): string {
  return FORMATS[zone].clock.format(timeMs);
}

/** `09:41:07.250` */
export function preciseTime(timeMs: number, zone: Zone): string {
  return `${clockTime(timeMs, zone)}.${String(((timeMs % 1_000) + 1_000) % 1_000).padStart(3, '0')}`;
}

/** `09:41` */
export function minuteTime(timeMs: number, zone: Zone): string {
  return FORMATS[zone].minute.format(timeMs);
}

/** `EDT`, `EST` or `UTC`, as it was at that time. */
export function zoneName(timeMs: number, zone: Zone): string {
  const part = FORMATS[zone].zoneName.formatToParts(timeMs).find(({ type }) => type === 'timeZoneName');
  return part?.value ?? ZONE_NAMES[zone];
}

/** `Tue, Oct 8, 2013` */
export function dateText(timeMs: number, zone: Zone): string {
  return FORMATS[zone].date.format(timeMs);
}

/** `Tue, Oct 8, 2013, 09:41:07 EDT` */
export function momentText(timeMs: number, zone: Zone): string {
  return `${dateText(timeMs, zone)}, ${clockTime(timeMs, zone)} ${zoneName(timeMs, zone)}`;
}

/** A rounded nought has no sign. */
const decimals = (digits: number, signDisplay: 'negative' | 'exceptZero') =>
  new Intl.NumberFormat('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay });

const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
const WHOLE = decimals(0, 'negative');
const CENTS = decimals(2, 'negative');
const TEN_THOUSANDTHS = decimals(4, 'negative');
const SIGNED_WHOLE = decimals(0, 'exceptZero');
const SIGNED_TENTHS = decimals(1, 'exceptZero');
const SIGNED_CENTS = decimals(2, 'exceptZero');
const SIGNED_TEN_THOUSANDTHS = decimals(4, 'exceptZero');

function write(format: Intl.NumberFormat, value: number | null, unit = ''): string {
  return value === null ? UNKNOWN : format.format(value).replace('-', MINUS) + unit;
}

const usd = (amountE4: number | null): number | null => (amountE4 === null ? null : amountE4 / 10_000);

/** `1,234` */
export const count = (value: number | null): string => write(WHOLE, value);

/** `12.3K` */
export const compact = (value: number | null): string => write(COMPACT, value);

/** `10.33`; with parts of a cent, four decimals. */
export function price(priceE4: number | null): string {
  return write(priceE4 !== null && priceE4 % 100 !== 0 ? TEN_THOUSANDTHS : CENTS, usd(priceE4));
}

/** A price that is computed rather than traded: two decimals. */
export const computedPrice = (priceE4: number | null): string => write(CENTS, usd(priceE4));

/** `+1,234.50`: with its sign, because it is a gain or a loss. */
export const gain = (amountE4: number | null): string => write(SIGNED_CENTS, usd(amountE4));

/**
 * Writes amounts that are to be added up: nothing is rounded away, and all have as many decimals as one of them needs.
 * `gain` has a sign, `+1,234.5025`; `money` only where it is negative.
 */
export function exactAmounts(amountsE4: readonly number[]) {
  const inCents = amountsE4.every((amountE4) => amountE4 % 100 === 0);
  const [signed, plain] = inCents ? [SIGNED_CENTS, CENTS] : [SIGNED_TEN_THOUSANDTHS, TEN_THOUSANDTHS];
  return {
    gain: (amountE4: number): string => write(signed, usd(amountE4)),
    money: (amountE4: number): string => write(plain, usd(amountE4)),
  };
}

/** `+1,235`, for axes. */
export const wholeDollars = (dollars: number): string => write(SIGNED_WHOLE, dollars);

/** `1,234.50` */
export const money = (amountE4: number | null): string => write(CENTS, usd(amountE4));

/** `+1.25%` of basis points. */
export function changePercent(basisPoints: number | null): string {
  return write(SIGNED_CENTS, basisPoints === null ? null : basisPoints / 100, '%');
}

/** `1.25×`; what is more than nought is not written as nought. */
export function multiple(value: number | null): string {
  return value !== null && value > 0 && value < 0.005 ? '<0.01×' : write(CENTS, value, '×');
}

/** `+1.3` */
export const deviations = (value: number | null): string => write(SIGNED_TENTHS, value);

/** `512 B`, `4.1 MB` */
export function byteSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const [size, unit] = bytes < 1_000_000 ? [bytes / 1_000, 'kB'] : [bytes / 1_000_000, 'MB'];
  return size >= 1_000 ? `${(size / 1_000).toFixed(2)} GB` : `${size.toFixed(1)} ${unit}`;
}

/** `0.4 s`, `12 s`, `3 min`, `2 h`: how long something is behind. */
export function delay(seconds: number): string {
  if (seconds < 0.1) return 'under 0.1 s';
  return seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds * 1_000);
}

/** `12 s`, `3 min`, `2 h` */
export function duration(elapsedMs: number): string {
  const seconds = Math.max(0, Math.round(elapsedMs / 1_000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
