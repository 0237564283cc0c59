import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import {
  decisionSchema,
  enrichedTickSchema,
  headers,
  MARKET_PARTITIONS,
  modelTopics,
  newYorkClock,
  newYorkToUtcMs,
  topics,
} from '@tickfold/market';
import { type RecordView, type StreamClient, StreamError } from '@tickfold/stream';
import { readRange } from '@tickfold/volumes';

/** Prices come as whole 1/10,000 USD and are shown as dollars. Times are UTC. */
const CREATE = `
  CREATE SCHEMA live;
  CREATE TABLE live.loaded_trades (symbol VARCHAR, time_ms BIGINT, price_e4 BIGINT, size BIGINT);
  CREATE TABLE live.loaded_decisions (
    symbol VARCHAR, time_ms BIGINT, price_e4 BIGINT, action VARCHAR, reason VARCHAR, target BIGINT
  );
  CREATE TABLE live.session (midnight TIMESTAMP, latest TIMESTAMP);
  CREATE VIEW live.trades AS
    SELECT symbol, make_timestamp_ms(time_ms) AS event_time, (price_e4 / 10000)::DECIMAL(18, 4) AS price, size
    FROM live.loaded_trades;
  CREATE VIEW live.decisions AS
    SELECT symbol, make_timestamp_ms(time_ms) AS event_time, (price_e4 / 10000)::DECIMAL(18, 4) AS price,
           action, reason, target
    FROM live.loaded_decisions;
`;

export interface LiveTablesOptions {
  client: StreamClient;
  model: string;
  /** Newest records of each partition that are read; older ones are left out. */
  newestPerPartition: number;
  signal?: AbortSignal | undefined;
}

/** Records that were read, by topic. */
export type RecordsRead = Record<string, number>;

/**
 * Loads the newest trades and one version's decisions into tables of the schema `live`.
 * @throws StreamError, SchemaError, or the signal's reason
 */
export async function createLiveTables(
  connection: DuckDBConnection,
  options: LiveTablesOptions,
): Promise<{ read: RecordsRead; trades: number }> {
  await connection.run(CREATE);
  const { decisions } = modelTopics(options.model);
  const read: RecordsRead = {};
  let trades = 0;
  let latestMs = Number.NEGATIVE_INFINITY;

  await append(connection, 'loaded_trades', async (row) => {
    read[topics.enriched] = await readNewest(options, topics.enriched, (record) => {
      // Most ticks are quotes: their header tells, without decoding them.
      if (record.header(headers.kind) !== 'trade') return;
      const tick = enrichedTickSchema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
      row.appendVarchar(tick.symbol);
      row.appendBigInt(BigInt(tick.eventTimeMs));
      row.appendBigInt(BigInt(tick.priceE4));
      row.appendBigInt(BigInt(tick.size));
      row.endRow();
      trades += 1;
      latestMs = Math.max(latestMs, tick.eventTimeMs);
    });
  });
  await append(connection, 'loaded_decisions', async (row) => {
    read[decisions] = await readNewest(options, decisions, (record) => {
      const decision = decisionSchema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
      row.appendVarchar(decision.symbol);
      row.appendBigInt(BigInt(decision.eventTimeMs));
      row.appendBigInt(BigInt(decision.priceE4));
      row.appendVarchar(decision.action);
      row.appendVarchar(decision.reason);
      row.appendBigInt(BigInt(decision.target));
      row.endRow();
    });
  });
  if (trades > 0) {
    const midnightMs = newYorkToUtcMs(newYorkClock(latestMs).date, 0);
    await connection.run(
      'INSERT INTO live.session VALUES (make_timestamp_ms($midnight::BIGINT), make_timestamp_ms($latest::BIGINT))',
      {
        midnight: midnightMs,
        latest: latestMs,
      },
    );
  }
  return { read, trades };
}

async function append(
  connection: DuckDBConnection,
  table: string,
  fill: (row: DuckDBAppender) => Promise<void>,
): Promise<void> {
  const appender = await connection.createAppender(table, 'live');
  await fill(appender);
  appender.closeSync();
}

async function readNewest(
  { client, newestPerPartition, signal }: LiveTablesOptions,
  topic: string,
  apply: (record: RecordView) => void,
): Promise<number> {
  let count = 0;
  for (let partition = 0; partition < MARKET_PARTITIONS; partition++) {
    for await (const chunk of readRange(client, { topic, partition, fromOffset: await startOf(partition) })) {
      for (const record of chunk.records()) {
        apply(record);
        count += 1;
      }
      signal?.throwIfAborted();
    }
  }
  return count;

  async function startOf(partition: number): Promise<bigint> {
    const watermark = (await client.admin.watermarks(topic)).find((each) => each.partition === partition);
    if (watermark === undefined) throw new StreamError('unknown-topic', `'${topic}' has no partition ${partition}`);
    const newest = watermark.high - BigInt(newestPerPartition);
    return newest > watermark.logStart ? newest : watermark.logStart;
  }
}
