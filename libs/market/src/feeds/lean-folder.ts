import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isDate, type TradingDate } from '../calendar/new-york-time.ts';
import { TickParseError } from '../layouts/tick-parse-error.ts';
import type { Trade } from '../tick.ts';
import { FeedError, fileError } from './feed-error.ts';
import { LeanRowReader } from './lean-rows.ts';
import { LineSplitter } from './line-splitter.ts';
import { readZippedCsv } from './zip-csv.ts';

export interface LeanTickFile {
  symbol: string;
  kind: 'trade' | 'quote';
  date: TradingDate;
  path: string;
  /** What source ids begin with: `aig/20131008_trade.zip`. */
  name: string;
}

/** One unadjusted daily bar. */
export interface LeanDailyBar {
  date: TradingDate;
  openE4: number;
  highE4: number;
  lowE4: number;
  closeE4: number;
  /** Shares. */
  volume: number;
}

/** A raw price is multiplied by both factors of the first row whose date is on or after its own. */
export interface LeanFactor {
  date: TradingDate;
  priceFactor: number;
  splitFactor: number;
  referencePrice: number;
}

/** A trade of an earlier day, with its source id. */
export type LeanTrade = Trade & { source: string };

/** The US equities of a LEAN data folder: `tick`, `daily`, `factor_files`. */
export interface LeanFolder {
  /** The folder that holds `tick` and `daily`. */
  readonly path: string;
  /** Symbols with tick files, sorted. */
  symbols(): string[];
  /** Days with tick files, oldest first. */
  tickDates(): TradingDate[];
  /** Tick files of a day, sorted by name. */
  tickFiles(date: TradingDate): LeanTickFile[];
  /**
   * Trades of one symbol and day in the file's order, in chunks; nothing where there is no such file. Rows that are no
   * trades are told to `onMalformed` and left out.
   * @throws FeedError when the zip is damaged
   */
  trades(
    symbol: string,
    date: TradingDate,
    onMalformed?: (source: string, reason: string) => void,
  ): AsyncIterable<LeanTrade[]>;
  /** Oldest first; empty where there is no file. @throws FeedError on damage, naming file and row */
  dailyBars(symbol: string): Promise<LeanDailyBar[]>;
  /** Oldest first; empty where there is no file. @throws FeedError on damage, naming file and row */
  factors(symbol: string): Promise<LeanFactor[]>;
}

const TICK_FILE = /^(\d{4})(\d{2})(\d{2})_(trade|quote)\.zip$/;
const LAYOUT = 'Give the folder that holds equity/usa/tick, as LEAN lays out its Data folder.';

/**
 * @param path the folder that holds `equity/usa`, or `equity/usa` itself, or a parent whose `data` folder it is
 * @throws FeedError when there is no such folder
 */
export async function openLeanFolder(path: string): Promise<LeanFolder> {
  const root = await findRoot(path);
  const files = await listTickFiles(root);
  return {
    path: root,
    symbols: () => [...new Set(files.map(({ symbol }) => symbol))].sort(),
    tickDates: () => [...new Set(files.map(({ date }) => date))].sort(),
    tickFiles: (date) => files.filter((file) => file.date === date),
    trades: (symbol, date, onMalformed) => {
      const file = files.find((each) => each.symbol === symbol && each.date === date && each.kind === 'trade');
      return file === undefined ? noTrades() : readTrades(file, onMalformed);
    },
    dailyBars: (symbol) => readLeanDaily(root, symbol),
    factors: (symbol) => readFactors(join(root, 'factor_files', `${symbol.toLowerCase()}.csv`)),
  };
}

/** The daily bars of one symbol below `equity/usa`. */
export async function readLeanDaily(root: string, symbol: string): Promise<LeanDailyBar[]> {
  const path = join(root, 'daily', `${symbol.toLowerCase()}.zip`);
  if (!(await exists(path))) return [];
  const chunks: Buffer[] = [];
  for await (const chunk of readZippedCsv(path)) chunks.push(chunk);
  return rowsOf(Buffer.concat(chunks).toString('latin1')).map(([dateTime = '', ...columns], index) => {
    const numbers = columns.map(Number);
    const date = dashed(dateTime.slice(0, 8));
    if (!isDate(date) || numbers.length !== 5 || !numbers.every((value) => value >= 0 && Number.isFinite(value))) {
      throw badRow(path, index, 'YYYYMMDD HH:MM, open, high, low, close, volume');
    }
    const [openE4, highE4, lowE4, closeE4, volume] = numbers.map(Math.round) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return { date, openE4, highE4, lowE4, closeE4, volume };
  });
}

async function readFactors(path: string): Promise<LeanFactor[]> {
  if (!(await exists(path))) return [];
  return rowsOf(await readFile(path, 'latin1')).map(([day = '', ...columns], index) => {
    const [priceFactor = Number.NaN, splitFactor = Number.NaN, referencePrice = 0] = columns.map(Number);
    const date = dashed(day);
    if (!isDate(date) || !(priceFactor > 0) || !(splitFactor > 0)) {
      throw badRow(path, index, 'YYYYMMDD, price factor, split factor, reference price');
    }
    return { date, priceFactor, splitFactor, referencePrice };
  });
}

async function* readTrades(
  file: LeanTickFile,
  onMalformed?: (source: string, reason: string) => void,
): AsyncGenerator<LeanTrade[], void, undefined> {
  const rows = new LeanRowReader(file.symbol, file.date);
  let trades: LeanTrade[] = [];
  const splitter = new LineSplitter((buffer, start, end, lineNumber) => {
    const source = `${file.name}:${lineNumber}`;
    try {
      trades.push({ ...rows.trade(buffer, start, end, lineNumber), source });
    } catch (error) {
      if (!(error instanceof TickParseError)) throw error;
      onMalformed?.(source, error.message);
    }
  });
  for await (const chunk of readZippedCsv(file.path)) {
    splitter.push(chunk);
    if (trades.length > 0) yield trades;
    trades = [];
  }
  splitter.end();
  if (trades.length > 0) yield trades;
}

async function* noTrades(): AsyncGenerator<LeanTrade[], void, undefined> {}

async function findRoot(path: string): Promise<string> {
  const start = resolve(path);
  await stat(start).catch((error) => {
    throw fileError('lean', start, error);
  });
  const candidates = ['.', 'equity/usa', 'usa', 'data/equity/usa', 'Data/equity/usa'].map((below) =>
    join(start, below),
  );
  for (const candidate of candidates) {
    if (await exists(join(candidate, 'tick'))) return candidate;
  }
  throw new FeedError(`lean: ${start} holds no equity/usa/tick.`, LAYOUT);
}

async function listTickFiles(root: string): Promise<LeanTickFile[]> {
  const tickFolder = join(root, 'tick');
  const files: LeanTickFile[] = [];
  for (const folder of (await readFolder(tickFolder)).filter((entry) => entry.isDirectory())) {
    for (const { name } of await readFolder(join(tickFolder, folder.name))) {
      const match = TICK_FILE.exec(name);
      if (match === null) continue;
      const [, year, month, day, kind] = match;
      files.push({
        symbol: folder.name.toUpperCase(),
        kind: kind as 'trade' | 'quote',
        date: `${year}-${month}-${day}`,
        path: join(tickFolder, folder.name, name),
        name: `${folder.name}/${name}`,
      });
    }
  }
  return files.filter(({ date }) => isDate(date)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readFolder(path: string) {
  return readdir(path, { withFileTypes: true }).catch((error) => {
    throw fileError('lean', path, error);
  });
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function rowsOf(csv: string): string[][] {
  return csv
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .map((line) => line.split(','));
}

function dashed(day: string): TradingDate {
  return `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6, 8)}`;
}

function badRow(path: string, index: number, expected: string): FeedError {
  return new FeedError(`lean: ${path}, row ${index + 1} is not of the form ${expected}.`, 'Copy the file again.');
}
