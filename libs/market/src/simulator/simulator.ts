import { lineLengthMax, writeOffer, writeQuote, writeTrade } from '../layouts/encode.ts';
import type { FeedRecord, Tick } from '../tick.ts';
import { type SimulatorOptions, simulatorDefaults } from './defaults.ts';
import { simulatedHours } from './hours.ts';
import { type SimulatedSymbol, simulatedSymbols } from './symbols.ts';
import { TickStream } from './tick-stream.ts';

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
