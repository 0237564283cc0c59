import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { isDate, type NewYorkDay, newYorkDay, type TradingDate } from '../calendar/new-york-time.ts';
import { checkTradeLine, msOfDayAt, symbolAt } from '../layouts/decode.ts';
import { tradeFields } from '../layouts/fields.ts';
import { TickParseError } from '../layouts/tick-parse-error.ts';
import { FeedError, fileError } from './feed-error.ts';
import { type FeedItem, type FeedSource, malformedRecord } from './feed-source.ts';
import { LineSplitter } from './line-splitter.ts';

/** Lines have no date. Where neither the caller nor the file's name gives one, it is the day of the layout's specification. */
export const DEFAULT_TAQ_DATE: TradingDate = '2013-08-06';

interface TaqFile {
  path: string;
  /** What source ids begin with. */
  name: string;
  date: TradingDate;
  size: number;
  /** The first bytes, which are part of the identity. */
  head: Buffer;
}

const READ_BYTES = 256 * 1024;
const HEAD_BYTES = 4096;
/** In a folder, files of these kinds are evidently no tick files. */
const OTHER_EXTENSIONS = new Set([
  '.md',
  '.pdf',
  '.html',
  '.json',
  '.sha256',
  '.md5',
  '.gz',
  '.zip',
  '.bz2',
  '.xz',
  '.zst',
]);
const PACKED_EXTENSIONS = new Set(['.gz', '.zip', '.bz2', '.xz', '.zst']);
const OTHER_NAMES = /^(readme|licen[cs]e|notice|copying|changelog|sha256sums|md5sums)/i;

/**
 * NYSE Daily Trades lines, with or without sender and receivers: one file, or every tick file of a folder in the order of
 * their names. In a folder, hidden files, folders, READMEs, licences and files with the extension of a document or an
 * archive are left alone. Lines arrive as they were, byte for byte, without their line end (LF or CRLF).
 *
 * @param date of all lines; default: a `YYYYMMDD` in the file's name, else DEFAULT_TAQ_DATE
 * @throws FeedError when the path cannot be read or holds no tick file
 */
export async function openTaqFeed(path: string, date?: TradingDate): Promise<FeedSource> {
  const { files, leftAlone } = await listTaqFiles(resolve(path), date);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return {
    identity: `taq:${fingerprint(files)}`,
    description: `taq:${path} (${files.length} file${files.length === 1 ? '' : 's'}, ${bytes} bytes)`,
    eventDate: files[0]!.date,
    warnings: [...files.flatMap(warningsOf), ...leftAlone],
    records: (from = 0) => readFiles(files, from),
  };
}

/**
 * A genuine file opens with a header record: its first nine bytes are no time of nine digits. A first line that is
 * damaged is told from it by a price that stands in its place, or by being shorter than a time.
 */
export function isTaqHeader(buffer: Uint8Array, start: number, end: number): boolean {
  const { time, price } = tradeFields;
  if (end - start < time.end || hasDigits(buffer, start + time.start, start + time.end)) return false;
  return end - start < price.end || !hasDigits(buffer, start + price.start, start + price.end);
}

async function* readFiles(files: TaqFile[], from: number): AsyncGenerator<FeedItem[], void, undefined> {
  let position = 0;
  let items: FeedItem[] = [];
  for (const file of files) {
    const day = newYorkDay(file.date);
    const splitter = new LineSplitter((buffer, start, end, lineNumber) => {
      if (lineNumber === 1 && isTaqHeader(buffer, start, end)) return;
      if (position >= from) items.push(toItem(buffer, start, end, day, `${file.name}:${lineNumber}`, position));
      position++;
    });
    for await (const chunk of readChunks(file.path)) {
      splitter.push(chunk);
      if (items.length > 0) yield items;
      items = [];
    }
    splitter.end();
    if (items.length > 0) yield items;
    items = [];
  }
}

function toItem(
  buffer: Uint8Array,
  start: number,
  end: number,
  day: NewYorkDay,
  source: string,
  position: number,
): FeedItem {
  try {
    return {
      kind: checkTradeLine(buffer, start, end),
      symbol: symbolAt(buffer, start),
      eventTimeMs: day.toUtcMs(msOfDayAt(buffer, start)),
      line: buffer.subarray(start, end),
      source,
      position,
    };
  } catch (error) {
    if (!(error instanceof TickParseError)) throw error;
    return malformedRecord(buffer, start, end, { source, position, reason: error.message });
  }
}

async function* readChunks(path: string): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* createReadStream(path, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw fileError('taq', path, error);
  }
}

async function listTaqFiles(path: string, date?: TradingDate): Promise<{ files: TaqFile[]; leftAlone: string[] }> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return { files: [await describeFile(path, found.size, date)], leftAlone: [] };

    const entries = await readdir(path, { withFileTypes: true });
    const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    const files: TaqFile[] = [];
    for (const name of names.filter(isTickFileName).sort()) {
      const { size } = await stat(join(path, name));
      files.push(await describeFile(join(path, name), size, date));
    }
    if (files.length === 0) {
      throw new FeedError(
        `taq: ${path} holds no tick files.`,
        'Give a file of Daily Trades lines, or a folder of such files.',
      );
    }
    const packed = names.filter((name) => PACKED_EXTENSIONS.has(extname(name).toLowerCase()));
    return { files, leftAlone: packed.map((name) => `${name} is left alone: unpack it to have it read.`) };
  } catch (error) {
    throw error instanceof FeedError ? error : fileError('taq', path, error);
  }
}

function isTickFileName(name: string): boolean {
  return !name.startsWith('.') && !OTHER_NAMES.test(name) && !OTHER_EXTENSIONS.has(extname(name).toLowerCase());
}

async function describeFile(path: string, size: number, date?: TradingDate): Promise<TaqFile> {
  const name = basename(path);
  const handle = await open(path);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return {
      path,
      name,
      size,
      date: date ?? dateInName(name) ?? DEFAULT_TAQ_DATE,
      head: buffer.subarray(0, bytesRead),
    };
  } finally {
    await handle.close();
  }
}

function dateInName(name: string): TradingDate | undefined {
  const match = /(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)/.exec(name);
  if (match === null) return undefined;
  const date = `${match[1]}-${match[2]}-${match[3]}`;
  return isDate(date) ? date : undefined;
}

function warningsOf({ name, size, head }: TaqFile): string[] {
  if (size === 0) return [`${name} is empty.`];
  const endOfLine = head.indexOf(0x0a);
  return isTaqHeader(head, 0, endOfLine < 0 ? head.length : endOfLine)
    ? [`${name}: line 1 is taken for a header.`]
    : [];
}

/** Names, dates, sizes and first bytes: the same files elsewhere are the same source, other files are not. */
function fingerprint(files: TaqFile[]): string {
  const hash = createHash('sha256');
  for (const { name, date, size, head } of files) hash.update(`${name}\n${date}\n${size}\n`).update(head);
  return hash.digest('hex').slice(0, 16);
}

function hasDigits(buffer: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (buffer[at]! < 0x30 || buffer[at]! > 0x39) return false;
  return true;
}
