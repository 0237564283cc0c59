import { isHalfDay, isTradingDay } from '../calendar/holidays.ts';
import type { TradingDate } from '../calendar/new-york-time.ts';
import { HALF_DAY_CLOSE_MS, PRE_MARKET_OPEN_MS, REGULAR_CLOSE_MS, REGULAR_OPEN_MS } from '../calendar/sessions.ts';
import { lineLengthMax, writeOffer, writeQuote, writeTrade } from '../layouts/encode.ts';
import type { FeedRecord, Tick } from '../tick.ts';
import type { SimulatedHours } from './intensity.ts';
import { type SimulatedSymbol, simulatedSymbols } from './symbols.ts';
import { TickStream } from './tick-stream.ts';

export interface SimulatorOptions {
  seed?: number;
  /** Session date, YYYY-MM-DD. */
  date?: string;
  symbolCount?: number;
  /** Ticks in one wall second at the busiest moment, at the demo's speed of 60. */
  peakTicksPerSecond?: number;
  /** New York time of the first tick, HH:MM. */
  startAt?: string;
}

export interface Simulator {
  /** `sim-<seed>-<date>`: the file part of each record's source id. */
  readonly id: string;
  readonly date: string;
  readonly symbols: readonly SimulatedSymbol[];
  /**
   * The whole session from the given position on, in chunks. What lies before the position is drawn but not written,
   * so that a restarted ingest continues with the same bytes.
   */
  chunks(fromPosition?: number): Generator<FeedRecord[], void, undefined>;
}

export const simulatorDefaults = {
  seed: 42,
  /** A Tuesday without a holiday near it. */
  date: '2025-10-07',
  symbolCount: 40,
  peakTicksPerSecond: 2000,
  startAt: '09:25',
} as const satisfies Required<SimulatorOptions>;

/** The session ends shortly after the close, so that the end of the day is seen too. */
const SECONDS_AFTER_CLOSE = 300;
const CHUNK_RECORDS = 1024;
const LONGEST_LINE = lineLengthMax('offer');

/** A seeded market session: the same options give the same bytes, on every machine. See docs/simulator.md. */
export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const { seed, date, symbolCount, peakTicksPerSecond, startAt } = { ...simulatorDefaults, ...options };
  const symbols = simulatedSymbols(seed, symbolCount);
  const id = `sim-${seed}-${date}`;
  const plan = { seed, date, symbols, hours: simulatedHours(date, startAt), peakTicksPerSecond };

  function* chunks(fromPosition = 0): Generator<FeedRecord[], void, undefined> {
    const ticks = new TickStream(plan);
    let position = 0;
    while (position < fromPosition) {
      if (!ticks.advance()) return;
      position++;
    }
    for (;;) {
      const records: FeedRecord[] = [];
      const bytes = new Uint8Array(CHUNK_RECORDS * LONGEST_LINE); // fresh, because records keep pointing into it
      let start = 0;
      while (records.length < CHUNK_RECORDS && ticks.advance()) {
        const { kind, symbol, eventTimeMs } = ticks.tick;
        const ordinal = position + 1;
        const end = writeLine(bytes, start, ticks.tick, ordinal);
        records.push({
          kind,
          symbol,
          eventTimeMs,
          line: bytes.subarray(start, end),
          source: `${id}:${ordinal}`,
          position,
        });
        start = end;
        position = ordinal;
      }
      if (records.length === 0) return;
      yield records;
    }
  }

  return { id, date, symbols, chunks };
}

/** The ordinal is also the line's sequence number. */
function writeLine(bytes: Uint8Array, start: number, tick: Tick, ordinal: number): number {
  if (tick.kind === 'trade') return writeTrade(bytes, start, tick, ordinal);
  return tick.kind === 'quote' ? writeQuote(bytes, start, tick, ordinal) : writeOffer(bytes, start, tick, ordinal);
}

/** @throws RangeError when the date is no trading day, or the session would not start before its close */
function simulatedHours(date: TradingDate, startAt: string): SimulatedHours {
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
