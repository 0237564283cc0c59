import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { newYorkToUtcMs, type TradingDate } from '../calendar/new-york-time.ts';
import { TickEncodeError, writeQuote, writeTrade } from '../layouts/encode.ts';
import { QUOTE_LINE_LENGTH } from '../layouts/fields.ts';
import { TickParseError } from '../layouts/tick-parse-error.ts';
import type { FeedRecord } from '../tick.ts';
import { FeedError, fileError } from './feed-error.ts';
import { type FeedSource, malformedRecord } from './feed-source.ts';
import { type LeanTickFile, openLeanFolder } from './lean-folder.ts';
import { LeanRowReader } from './lean-rows.ts';
import { LineSplitter } from './line-splitter.ts';
import { mergeByTime, type TimedBatch } from './merge.ts';
import { readZippedCsv, verifyZip } from './zip-csv.ts';

/** Lines are written into buffers of this size, each filled once: what points into one keeps no more than it alive. */
const LINE_BUFFER_BYTES = 64 * 1024;
const TAIL_BYTES = 1024;

/**
 * All trades and quotes of one day of a LEAN data folder, merged by (time, file name, line) and converted to the
 * layouts; the sequence number is the row's line. Every zip is read through once at opening, so that a damaged one is
 * told before the first tick.
 *
 * @param date default: the latest day in the folder
 * @throws FeedError when the folder, the day or an undamaged zip is missing
 */
export async function openLeanFeed(path: string, date?: TradingDate): Promise<FeedSource> {
  const folder = await openLeanFolder(path);
  const dates = folder.tickDates();
  const eventDate = date ?? dates.at(-1);
  const files = eventDate === undefined ? [] : folder.tickFiles(eventDate);
  if (eventDate === undefined || files.length === 0) {
    throw new FeedError(
      `lean: ${folder.path} holds no ticks${eventDate === undefined ? '' : ` of ${eventDate}`}.`,
      dates.length === 0 ? 'Give a folder with tick files.' : `Choose one of its days: ${dates.join(', ')}.`,
    );
  }
  for (const file of files) await verifyZip(file.path);
  return {
    identity: `lean:${await fingerprint(eventDate, files)}`,
    description: `lean:${path} of ${eventDate} (${files.length} files)`,
    eventDate,
    warnings: [],
    records: (from = 0) => mergeByTime(files.map(readTicks), from),
  };
}

/** One file as a stream of batches, converted; a malformed row is merged at the time of the row before it. */
async function* readTicks(file: LeanTickFile): AsyncGenerator<TimedBatch, void, undefined> {
  const rows = new LeanRowReader(file.symbol, file.date);
  const lines = new LineBuffer();
  let lastTimeMs = newYorkToUtcMs(file.date, 0);
  let batch: TimedBatch = { timesMs: [], items: [] };

  const splitter = new LineSplitter((buffer, start, end, lineNumber) => {
    const source = `${file.name}:${lineNumber}`;
    try {
      const record = toRecord(file, rows, lines, source, buffer, start, end, lineNumber);
      lastTimeMs = record.eventTimeMs;
      batch.items.push(record);
    } catch (error) {
      if (!(error instanceof TickParseError || error instanceof TickEncodeError)) throw error;
      batch.items.push(malformedRecord(buffer, start, end, { source, position: 0, reason: error.message }));
    }
    batch.timesMs.push(lastTimeMs);
  });

  for await (const chunk of readZippedCsv(file.path)) {
    splitter.push(chunk);
    if (batch.items.length > 0) yield batch;
    batch = { timesMs: [], items: [] };
  }
  splitter.end();
  if (batch.items.length > 0) yield batch;
}

function toRecord(
  file: LeanTickFile,
  rows: LeanRowReader,
  lines: LineBuffer,
  source: string,
  buffer: Uint8Array,
  start: number,
  end: number,
  lineNumber: number,
): FeedRecord {
  const at = lines.reserve(QUOTE_LINE_LENGTH);
  let endOfLine: number;
  let eventTimeMs: number;
  if (file.kind === 'trade') {
    const trade = rows.trade(buffer, start, end, lineNumber);
    endOfLine = writeTrade(lines.bytes, at, trade);
    eventTimeMs = trade.eventTimeMs;
  } else {
    const quote = rows.quote(buffer, start, end, lineNumber);
    endOfLine = writeQuote(lines.bytes, at, quote);
    eventTimeMs = quote.eventTimeMs;
  }
  lines.next = endOfLine;
  return {
    kind: file.kind,
    symbol: file.symbol,
    eventTimeMs,
    line: lines.bytes.subarray(at, endOfLine),
    source,
    position: 0,
  };
}

/** Where lines are written one behind the other; a fresh buffer begins when one is full. */
class LineBuffer {
  bytes = Buffer.allocUnsafeSlow(LINE_BUFFER_BYTES);
  next = 0;

  /** Where the next line of at most `length` bytes begins. */
  reserve(length: number): number {
    if (this.next + length > this.bytes.length) {
      this.bytes = Buffer.allocUnsafeSlow(LINE_BUFFER_BYTES);
      this.next = 0;
    }
    return this.next;
  }
}

/** Day, names, sizes and last bytes (a zip's directory, with its CRCs): the same files elsewhere are the same source. */
async function fingerprint(date: TradingDate, files: LeanTickFile[]): Promise<string> {
  const hash = createHash('sha256').update(date);
  for (const { name, path } of files) {
    try {
      const handle = await open(path);
      try {
        const { size } = await handle.stat();
        const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
        await handle.read(tail, 0, tail.length, size - tail.length);
        hash.update(`${name}\n${size}\n`).update(tail);
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw fileError('lean', path, error);
    }
  }
  return hash.digest('hex').slice(0, 16);
}
