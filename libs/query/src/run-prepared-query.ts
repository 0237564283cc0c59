import type { DuckDBConnection } from '@duckdb/node-api';
import { modelTopics, topics } from '@tickfold/market';
import type { StreamClient } from '@tickfold/stream';
import { QueryError } from './errors.ts';
import { defaultLimits, type QueryLimits } from './limits.ts';
import { createLiveTables, type RecordsRead } from './live-tables.ts';
import { type Cell, plainRows } from './plain-rows.ts';
import { findPreparedQuery } from './prepared-queries.ts';
import { openQueryDatabase, prepareSelect } from './query-database.ts';

export interface QueryOptions {
  /** One of `preparedQueries`. */
  name: string;
  /** The version whose decisions are `live.decisions`. */
  model: string;
  client: StreamClient;
  /** The published `history.duckdb`: opened read-only as `history`. */
  historyPath: string;
  signal?: AbortSignal;
  limits?: Partial<QueryLimits>;
  /** Records of the streams read, of how many. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

export interface QueryResult {
  sql: string;
  columns: { name: string; type: string }[];
  rows: Cell[][];
  /** Of reading, loading and the statement. */
  elapsedMs: number;
  /** Records that were read, by topic; rows of the tables of history that the statement reads. */
  read: RecordsRead;
}

/**
 * Loads the newest live trades and a version's decisions into memory, attaches history, and runs a prepared statement
 * over the three. Meant for a process of its own, which can be killed.
 *
 * @throws QueryError, StreamError, or the signal's reason
 */
export async function runPreparedQuery(options: QueryOptions): Promise<QueryResult> {
  const { client, model, historyPath, signal, onProgress } = options;
  const startedMs = performance.now();
  const { sql } = findPreparedQuery(options.name);
  const limits = { ...defaultLimits, ...options.limits };
  await checkTopics(client, model);
  const { connection, close } = await openQueryDatabase(historyPath, limits);
  try {
    const { newestPerPartition } = limits;
    const { read, trades } = await createLiveTables(connection, {
      client,
      model,
      newestPerPartition,
      signal,
      onProgress,
    });
    if (trades === 0) {
      throw new QueryError('No trade has been enriched yet.', 'Ask again in a moment; a feed of offers has none.');
    }
    return {
      sql,
      ...(await runSelect(connection, sql, signal)),
      elapsedMs: Math.round(performance.now() - startedMs),
      read: { ...read, ...(await historySizes(connection, sql)) },
    };
  } finally {
    close();
  }
}

async function checkTopics(client: StreamClient, model: string): Promise<void> {
  const there = new Set((await client.admin.topics()).map(({ name }) => name));
  if (!there.has(topics.enriched)) {
    throw new QueryError('No tick has been enriched yet.', 'Ask again in a moment.');
  }
  if (!there.has(modelTopics(model).decisions)) {
    throw new QueryError(`${model} has decided nothing here.`, 'Name a version that runs, such as reversion-1.');
  }
}

async function runSelect(
  connection: DuckDBConnection,
  sql: string,
  signal: AbortSignal | undefined,
): Promise<Pick<QueryResult, 'columns' | 'rows'>> {
  const statement = await prepareSelect(connection, sql);
  const interrupt = (): void => connection.interrupt();
  signal?.addEventListener('abort', interrupt);
  try {
    signal?.throwIfAborted();
    const reader = await statement.runAndReadAll();
    const types = reader.columnTypes();
    return {
      columns: reader.columnNames().map((name, index) => ({ name, type: String(types[index]) })),
      rows: plainRows(reader),
    };
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', interrupt);
  }
}

/** Rows of the tables that the statement names. */
async function historySizes(connection: DuckDBConnection, sql: string): Promise<RecordsRead> {
  const tables = new Set([...sql.matchAll(/\bhistory\.\w+/g)].map(([table]) => table));
  const sizes: RecordsRead = {};
  for (const table of [...tables].sort()) {
    const reader = await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM ${table}`);
    sizes[table] = Number(reader.getRows()[0]?.[0]);
  }
  return sizes;
}
