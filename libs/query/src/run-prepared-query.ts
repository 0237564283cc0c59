import { existsSync } from 'node:fs';
import { type DuckDBConnection, DuckDBInstance, type Json } from '@duckdb/node-api';
import { modelTopics, topics } from '@tickfold/market';
import type { StreamClient } from '@tickfold/stream';
import { QueryError } from './errors.ts';
import { createLiveTables, type RecordsRead } from './live-tables.ts';
import { findPreparedQuery } from './prepared-queries.ts';

/** About twice a default session in four partitions; what is older is not read, so that memory stays bounded. */
const NEWEST_PER_PARTITION = 250_000;
const MEMORY_LIMIT = '256MB';
const THREADS = '2';

export interface QueryOptions {
  /** One of `preparedQueries`. */
  name: string;
  /** The version whose decisions are `live.decisions`. */
  model: string;
  client: StreamClient;
  /** The published `history.duckdb`: opened read-only as `history`. */
  historyPath: string;
  /** Newest records of each partition that are read. */
  newestPerPartition?: number;
  signal?: AbortSignal;
}

export interface QueryResult {
  sql: string;
  columns: { name: string; type: string }[];
  rows: (string | number | boolean | null)[][];
  /** Of reading, loading and the statement. */
  elapsedMs: number;
  /** Records that were read, by topic. */
  read: RecordsRead;
}

/**
 * Loads the newest live trades and a version's decisions into memory, attaches history, and runs a prepared statement
 * over the three. Holds up to 256 MB of DuckDB's and is meant for a process of its own, which can be killed.
 *
 * @throws QueryError, StreamError, or the signal's reason
 */
export async function runPreparedQuery(options: QueryOptions): Promise<QueryResult> {
  const startedMs = performance.now();
  const { sql } = findPreparedQuery(options.name);
  await checkTopics(options);
  if (!existsSync(options.historyPath)) {
    throw new QueryError(
      `There is no history at ${options.historyPath}.`,
      'npm start builds it; set DATA_DIR to the folder that it uses.',
    );
  }
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY_LIMIT,
    threads: THREADS,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  try {
    await attachHistory(connection, options.historyPath);
    const newestPerPartition = options.newestPerPartition ?? NEWEST_PER_PARTITION;
    const { read, trades } = await createLiveTables(connection, { ...options, newestPerPartition });
    if (trades === 0) {
      throw new QueryError('No trade has been enriched yet.', 'Ask again in a moment; a feed of offers has none.');
    }
    const reader = await connection.runAndReadAll(sql);
    const types = reader.columnTypes();
    return {
      sql,
      columns: reader.columnNames().map((name, index) => ({ name, type: String(types[index]) })),
      rows: reader.getRowsJson().map((row) => row.map(plain)),
      elapsedMs: Math.round(performance.now() - startedMs),
      read,
    };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function checkTopics({ client, model }: QueryOptions): Promise<void> {
  const there = new Set((await client.admin.topics()).map(({ name }) => name));
  const { decisions } = modelTopics(model);
  if (!there.has(decisions)) {
    throw new QueryError(`${model} has decided nothing here.`, 'Name a version that runs, such as reversion-1.');
  }
  if (!there.has(topics.enriched)) {
    throw new QueryError('No tick has been enriched yet.', 'Ask again in a moment.');
  }
}

/** Once attached, nothing outside of this process can be reached any more, whatever a statement says. */
async function attachHistory(connection: DuckDBConnection, path: string): Promise<void> {
  try {
    await connection.run(`ATTACH '${path.replaceAll("'", "''")}' AS history (READ_ONLY)`);
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new QueryError(
      `${path} cannot be opened as a history (${reason}).`,
      'Run npm run clean to remove the data; the next start builds it again.',
      { cause: error },
    );
  }
  await connection.run('SET enable_external_access = false');
}

function plain(value: Json): string | number | boolean | null {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
