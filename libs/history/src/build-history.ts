import { existsSync, readFileSync, statSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { TradingDate } from '@tickfold/market';
import { createDatabase } from './database.ts';
import { HistoryError, otherHistoryError, unwritableFolderError } from './errors.ts';
import { type HistoryMeta, type HistoryOrigin, readMeta } from './meta.ts';
import { publishFile } from './publication.ts';
import { createTables, deriveDailyBars, deriveMinuteBars, HISTORY_FORMAT } from './schema.ts';
import { TradeLoader } from './trade-loader.ts';

/** What a history is made from. */
export interface HistorySource {
  /** Identity of the feed that the history is for: see FeedSource in @tickfold/market. */
  readonly identity: string;
  /** The same for people. */
  readonly description: string;
  readonly origin: HistoryOrigin;
  /** The session that the history is for: nothing of it or after it may go in. */
  readonly sessionDate: TradingDate;
  /** Fills trades and, where the feed has them, daily bars; tells what stands in for what is not there. */
  fill(into: HistoryTarget): Promise<{ standIns: string[] }>;
}

export interface HistoryTarget {
  readonly connection: DuckDBConnection;
  readonly trades: TradeLoader;
  /** @param fraction of the source's work that is done, 0 to 1 */
  onProgress(fraction: number): void;
}

export interface BuildOptions {
  path: string;
  source: HistorySource;
  /** Called now and then with a fraction that grows from 0 to 1. */
  onProgress?: (fraction: number) => void;
}

export interface BuildOutcome {
  built: boolean;
  meta: HistoryMeta;
  elapsedMs: number;
  bytes: number;
}

/** Deriving bars and flushing takes about this share of a build. */
const SHARE_OF_FILLING = 0.8;

/**
 * Builds and publishes a history, unless the same one is there already.
 *
 * @throws HistoryError when a history for another source or date is in its place, or the folder cannot be written
 */
export async function buildHistory({ path, source, onProgress = () => {} }: BuildOptions): Promise<BuildOutcome> {
  const startedMs = performance.now();
  const built = !existsSync(path);
  if (built) {
    await publishFile(path, (partialPath) => writeHistory(partialPath, source, onProgress)).catch((error) => {
      throw isFileSystemError(error) ? unwritableFolderError(path, error) : error;
    });
  }
  const meta = await readMeta(path);
  if (meta.identity !== source.identity || meta.sessionDate !== source.sessionDate) {
    throw otherHistoryError(path, nameOf(meta), nameOf(source));
  }
  if (built) onProgress(1);
  return { built, meta, elapsedMs: performance.now() - startedMs, bytes: statSync(path).size };
}

async function writeHistory(
  path: string,
  source: HistorySource,
  onProgress: (fraction: number) => void,
): Promise<void> {
  const database = await createDatabase(path);
  const { connection } = database;
  try {
    await connection.run(createTables);
    const trades = new TradeLoader(connection);
    const { standIns } = await source.fill({
      connection,
      trades,
      onProgress: (fraction) => onProgress(fraction * SHARE_OF_FILLING),
    });
    await trades.flush();
    await connection.run(deriveMinuteBars);
    onProgress(0.9);
    await connection.run(deriveDailyBars);
    await refuseLaterRows(connection, source);
    await writeMeta(connection, source, standIns);
    await connection.run('CHECKPOINT');
  } finally {
    database.close();
  }
}

/** A last line of defence: a history that knows the future makes every model look good. */
async function refuseLaterRows(connection: DuckDBConnection, source: HistorySource): Promise<void> {
  for (const table of ['trades', 'minute_bars', 'daily_bars']) {
    const reader = await connection.runAndReadAll(
      `SELECT count(*)::DOUBLE FROM ${table} WHERE session_date >= $date::DATE`,
      { date: source.sessionDate },
    );
    const rows = reader.getRows()[0]?.[0];
    if (rows !== 0) {
      throw new HistoryError(
        `${source.description}: ${rows} rows of ${table} are not before ${source.sessionDate}.`,
        'This is a defect of the history reader; report it with the name of the feed.',
      );
    }
  }
}

async function writeMeta(connection: DuckDBConnection, source: HistorySource, standIns: string[]): Promise<void> {
  await connection.run(
    `INSERT INTO meta
     SELECT unnest(['format', 'origin', 'identity', 'description', 'session_date', 'stand_ins', 'created_by']),
            unnest([$format, $origin, $identity, $description, $date, $standIns, $createdBy])
     UNION ALL SELECT 'sessions', count(*)::VARCHAR FROM sessions
     UNION ALL SELECT 'trades', count(*)::VARCHAR FROM trades
     UNION ALL SELECT 'minute_bars', count(*)::VARCHAR FROM minute_bars
     UNION ALL SELECT 'daily_bars', count(*)::VARCHAR FROM daily_bars`,
    {
      format: HISTORY_FORMAT,
      origin: source.origin,
      identity: source.identity,
      description: source.description,
      date: source.sessionDate,
      standIns: standIns.join('\n'),
      createdBy: `tickfold ${ownVersion()}`,
    },
  );
}

function ownVersion(): string {
  const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return packageJson.version;
}

function nameOf({ description, sessionDate }: { description: string; sessionDate: TradingDate }): string {
  return `${description}, session ${sessionDate}`;
}

/** Node.js says it in `code` and `syscall`, DuckDB in the first words of its message. */
function isFileSystemError(error: unknown): boolean {
  return error instanceof Error && (('code' in error && 'syscall' in error) || error.message.includes('IO Error'));
}
