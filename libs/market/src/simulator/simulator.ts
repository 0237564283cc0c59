import type { FeedRecord, TickKind } from '../tick.ts';
import type { SimulatedHours } from './intensity.ts';
import { LineWriter, LONGEST_LINE } from './lines.ts';
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

const CHUNK_RECORDS = 1024;
const KINDS: readonly TickKind[] = ['trade', 'quote', 'offer'];

/** A seeded market session: the same options give the same bytes, on every machine. See docs/simulator.md. */
export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const { seed, date, symbolCount, peakTicksPerSecond, startAt } = { ...simulatorDefaults, ...options };
  const symbols = simulatedSymbols(seed, symbolCount);
  const hours = simulatedHours(startAt);
  const id = `sim-${seed}-${date}`;
  const midnightMs = newYorkMidnightMs(date);

  function* chunks(fromPosition = 0): Generator<FeedRecord[], void, undefined> {
    const ticks = new TickStream(seed, symbols, hours, peakTicksPerSecond);
    const writer = new LineWriter(symbols.map(({ symbol }) => symbol));
    let position = 0;
    while (position < fromPosition) {
      if (!ticks.advance()) return;
      position++;
    }
    for (;;) {
      const records: FeedRecord[] = [];
      const bytes = new Uint8Array(CHUNK_RECORDS * LONGEST_LINE); // fresh, because records keep pointing into it
      let end = 0;
      while (records.length < CHUNK_RECORDS && ticks.advance()) {
        const start = end;
        const ordinal = position + 1;
        end = writer.write(bytes, start, ticks, ordinal);
        records.push({
          kind: KINDS[ticks.kind]!,
          symbol: symbols[ticks.symbolIndex]!.symbol,
          eventTimeMs: midnightMs + ticks.localMs,
          line: bytes.subarray(start, end),
          source: `${id}:${ordinal}`,
          position,
        });
        position = ordinal;
      }
      if (records.length === 0) return;
      yield records;
    }
  }

  return { id, date, symbols, chunks };
}

function simulatedHours(startAt: string): SimulatedHours {
  const match = /^(\d\d):(\d\d)$/.exec(startAt);
  const start = match ? Number(match[1]) * 3600 + Number(match[2]) * 60 : Number.NaN;
  const hours = { start, open: 34_200, close: 57_600, end: 57_900 };
  if (!(start >= 4 * 3600 && start < hours.close)) {
    throw new RangeError(`A simulated session cannot start at ${startAt}: give HH:MM from 04:00 to before the close.`);
  }
  return hours;
}

function newYorkMidnightMs(date: string): number {
  return Date.parse(`${date}T04:00:00Z`);
}
