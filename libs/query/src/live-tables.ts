import { type DuckDBConnection, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import {
  decisionSchema,
  enrichedTickSchema,
  headers,
  modelTopics,
  newYorkClock,
  newYorkToUtcMs,
  topics,
} from '@tickfold/market';
import type { RecordView, StreamClient } from '@tickfold/stream';
import { ColumnLoader, Dictionary } from './column-loader.ts';
import { answersTo, lengthOf, newestTicks, type Range, readRanges } from './read-newest.ts';

/**
 * What statements see. Prices are USD, times UTC. `arrival` is the order of a symbol's records: several may have the same
 * time.
 */
const CREATE_TABLES = `
  CREATE SCHEMA live;
  CREATE TABLE live.session (session_date DATE, midnight TIMESTAMP, latest TIMESTAMP)`;

const TRADE_COLUMNS = ['symbol_id', 'time_ms', 'price_e4', 'size', 'volume_today'];
const CREATE_TRADES = `
  CREATE TABLE live.trades AS
  SELECT $texts[symbol_id::INTEGER]                    AS symbol,
         make_timestamp_ms(time_ms::BIGINT)            AS event_time,
         (price_e4::BIGINT * 0.0001)::DECIMAL(18, 4)   AS price,
         size::BIGINT                                  AS size,
         volume_today::BIGINT                          AS volume_today,
         rowid                                         AS arrival
  FROM temp.loaded_trades`;

const DECISION_COLUMNS = ['symbol_id', 'time_ms', 'price_e4', 'action_id', 'reason_id', 'target'];
const CREATE_DECISIONS = `
  CREATE TABLE live.decisions AS
  SELECT $texts[symbol_id::INTEGER]                    AS symbol,
         make_timestamp_ms(time_ms::BIGINT)            AS event_time,
         (price_e4::BIGINT * 0.0001)::DECIMAL(18, 4)   AS price,
         $texts[action_id::INTEGER]                    AS action,
         $texts[reason_id::INTEGER]                    AS reason,
         target::BIGINT                                AS target,
         rowid                                         AS arrival
  FROM temp.loaded_decisions`;

export interface LiveTablesOptions {
  client: StreamClient;
  model: string;
  /** Newest ticks of each partition that are read; older ones, and what was decided about them, are left out. */
  newestPerPartition: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/** Records that were read, by topic or table. */
export type RecordsRead = Record<string, number>;

/**
 * Loads this session's newest trades, and one version's decisions about them, into tables of the schema `live`.
 * @throws StreamError, SchemaError, or the signal's reason
 */
export async function createLiveTables(
  connection: DuckDBConnection,
  options: LiveTablesOptions,
): Promise<{ read: RecordsRead; trades: number }> {
  const { client, model, newestPerPartition, signal, onProgress } = options;
  await connection.run(CREATE_TABLES);
  const ticks = await newestTicks(client, newestPerPartition);
  const decisions = await answersTo(client, modelTopics(model).decisions, ticks);
  const total = lengthOf(ticks) + lengthOf(decisions);
  let done = 0;
  const onRead = (count: number): void => {
    done += count;
    onProgress?.({ done, total });
  };
  const session = await beginSession(connection, client, ticks);

  const reading: Reading = { client, signal, onRead, ...session };
  const trades = await loadTrades(connection, ticks, reading);
  await loadDecisions(connection, decisions, reading);

  const read: RecordsRead = {
    [topics.enriched]: lengthOf(ticks),
    [modelTopics(model).decisions]: lengthOf(decisions),
  };
  const leftOut = await olderThan(client, ticks);
  if (leftOut > 0) read[`${topics.enriched} left out, being older`] = leftOut;
  return { read, trades };
}

/** The day in New York of the newest tick. */
async function beginSession(
  connection: DuckDBConnection,
  client: StreamClient,
  ticks: readonly Range[],
): Promise<{ midnightMs: number }> {
  let latestMs = 0;
  for (const { topic, partition, from, to } of ticks) {
    const last = from < to ? await client.lastRecord(topic, partition) : undefined;
    latestMs = Math.max(latestMs, last?.timestampMs ?? 0);
  }
  const { date } = newYorkClock(latestMs);
  const midnightMs = newYorkToUtcMs(date, 0);
  await connection.run(
    'INSERT INTO live.session VALUES ($date::DATE, make_timestamp_ms($midnight::BIGINT), make_timestamp_ms($latest::BIGINT))',
    { date, midnight: midnightMs, latest: latestMs },
  );
  return { midnightMs };
}

async function olderThan(client: StreamClient, ticks: readonly Range[]): Promise<number> {
  const watermarks = await client.admin.watermarks(topics.enriched);
  return ticks.reduce((sum, { partition, from }) => {
    const logStart = watermarks.find((each) => each.partition === partition)?.logStart ?? from;
    return sum + Math.max(0, Number(from - logStart));
  }, 0);
}

interface Reading {
  client: StreamClient;
  signal: AbortSignal | undefined;
  onRead(count: number): void;
  /** Of this session, UTC; what is earlier is left out. */
  midnightMs: number;
}

/** Returns how many there are. */
async function loadTrades(connection: DuckDBConnection, ticks: readonly Range[], reading: Reading): Promise<number> {
  const loader = await ColumnLoader.create(connection, 'loaded_trades', TRADE_COLUMNS);
  const texts = new Dictionary();
  let trades = 0;
  const load = (record: RecordView): void => {
    // Most ticks are quotes: their header tells, without decoding them.
    if (record.header(headers.kind) !== 'trade' || record.timestampMs < reading.midnightMs) return;
    const tick = enrichedTickSchema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
    loader.add(texts.idOf(tick.symbol), tick.eventTimeMs, tick.priceE4, tick.size, tick.volumeToday);
    trades++;
  };
  await readRanges(reading.client, ticks, load, reading);
  loader.close();
  await createTable(connection, CREATE_TRADES, texts);
  return trades;
}

async function loadDecisions(connection: DuckDBConnection, ranges: readonly Range[], reading: Reading): Promise<void> {
  const loader = await ColumnLoader.create(connection, 'loaded_decisions', DECISION_COLUMNS);
  const texts = new Dictionary();
  const load = (record: RecordView): void => {
    if (record.timestampMs < reading.midnightMs) return;
    const decision = decisionSchema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
    const { symbol, eventTimeMs, priceE4, action, reason, target } = decision;
    loader.add(texts.idOf(symbol), eventTimeMs, priceE4, texts.idOf(action), texts.idOf(reason), target);
  };
  await readRanges(reading.client, ranges, load, reading);
  loader.close();
  await createTable(connection, CREATE_DECISIONS, texts);
}

async function createTable(connection: DuckDBConnection, sql: string, { texts }: Dictionary): Promise<void> {
  await connection.run(sql, { texts: listValue(texts) }, { texts: LIST(VARCHAR) });
}
