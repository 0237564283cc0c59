import {
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  LIST,
  listValue,
  USMALLINT,
  VARCHAR,
} from '@duckdb/node-api';
import { newYorkToUtcMs, sessionTimes, type Trade, type TradingDate } from '@tickfold/market';

/** The unit in which DuckDB takes rows in bulk. */
const CHUNK_ROWS = 2048;
/** Big enough for whole row groups, small enough for memory. */
const FLUSH_ROWS = 400_000;
const STAGE_TYPES = [USMALLINT, DOUBLE, DOUBLE, DOUBLE, USMALLINT, USMALLINT, USMALLINT];
const SYMBOL = 0;
const TIME = 1;
const PRICE = 2;
const SIZE = 3;
const EXCHANGE = 4;
const CONDITION = 5;
const SESSION = 6;

type LoadedTrade = Pick<Trade, 'symbol' | 'eventTimeMs' | 'priceE4' | 'size' | 'exchange' | 'condition'>;

/**
 * Loads trades session by session. Rows go as numbers, in chunks of columns, into a staging table; texts are numbered
 * and put back in SQL, which is much faster than handing over texts row by row.
 */
export class TradeLoader {
  readonly #connection: DuckDBConnection;
  readonly #symbols = new Dictionary();
  readonly #exchanges = new Dictionary();
  readonly #conditions = new Dictionary();
  readonly #dates = new Dictionary();
  readonly #columns: number[][] = STAGE_TYPES.map(() => []);
  readonly #chunk = DuckDBDataChunk.create(STAGE_TYPES);
  #appender: DuckDBAppender | undefined;
  #session = 0;
  /** Rows in the columns, not in the staging table yet. */
  #rows = 0;
  #stagedRows = 0;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** The trades that are added from now on are of this session. */
  async beginSession(date: TradingDate): Promise<void> {
    if (this.#stagedRows >= FLUSH_ROWS) await this.flush();
    if (this.#appender === undefined) this.#appender = await this.#createStage();
    this.#session = this.#dates.idOf(date);
    await addSession(this.#connection, date);
  }

  add(trade: Readonly<LoadedTrade>): void {
    const row = this.#rows;
    this.#columns[SYMBOL]![row] = this.#symbols.idOf(trade.symbol);
    this.#columns[TIME]![row] = trade.eventTimeMs;
    this.#columns[PRICE]![row] = trade.priceE4;
    this.#columns[SIZE]![row] = trade.size;
    this.#columns[EXCHANGE]![row] = this.#exchanges.idOf(trade.exchange);
    this.#columns[CONDITION]![row] = this.#conditions.idOf(trade.condition);
    this.#columns[SESSION]![row] = this.#session;
    this.#rows++;
    if (this.#rows === CHUNK_ROWS) this.#appendChunk();
  }

  /** Moves what is staged into the table, by session, symbol and time; trades of one millisecond keep their order. */
  async flush(): Promise<void> {
    this.#appendChunk();
    this.#appender?.closeSync();
    this.#appender = undefined;
    if (this.#stagedRows === 0) return;
    await this.#connection.run(
      `INSERT INTO trades
       SELECT $symbols[symbol_id + 1],
              make_timestamp_ms(time_ms::BIGINT),
              price_e4::BIGINT * 0.0001,
              size::BIGINT,
              $exchanges[exchange_id + 1],
              $conditions[condition_id + 1],
              $dates[session_id + 1]::DATE
       FROM stage
       ORDER BY session_id, symbol_id, time_ms, rowid`,
      {
        symbols: listValue(this.#symbols.texts),
        exchanges: listValue(this.#exchanges.texts),
        conditions: listValue(this.#conditions.texts),
        dates: listValue(this.#dates.texts),
      },
      { symbols: LIST(VARCHAR), exchanges: LIST(VARCHAR), conditions: LIST(VARCHAR), dates: LIST(VARCHAR) },
    );
    await this.#connection.run('DROP TABLE temp.stage');
    this.#stagedRows = 0;
  }

  async #createStage(): Promise<DuckDBAppender> {
    await this.#connection.run(`
      CREATE OR REPLACE TEMP TABLE stage (
        symbol_id USMALLINT, time_ms DOUBLE, price_e4 DOUBLE, size DOUBLE,
        exchange_id USMALLINT, condition_id USMALLINT, session_id USMALLINT
      )`);
    return this.#connection.createAppender('stage', 'main', 'temp');
  }

  #appendChunk(): void {
    if (this.#rows === 0) return;
    for (const column of this.#columns) column.length = this.#rows;
    this.#chunk.rowCount = this.#rows;
    this.#chunk.setColumns(this.#columns);
    this.#appender?.appendDataChunk(this.#chunk);
    this.#stagedRows += this.#rows;
    this.#rows = 0;
  }
}

/** Texts numbered from 0 in order of first appearance. */
class Dictionary {
  readonly texts: string[] = [];
  readonly #ids = new Map<string, number>();

  idOf(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.texts.push(text) - 1;
      this.#ids.set(text, id);
    }
    return id;
  }
}

async function addSession(connection: DuckDBConnection, date: TradingDate): Promise<void> {
  const { openMs, closeMs } = sessionTimes(date);
  await connection.run(
    `INSERT INTO sessions
     VALUES ($date::DATE, make_timestamp_ms($midnight::BIGINT), make_timestamp_ms($open::BIGINT),
             make_timestamp_ms($close::BIGINT))`,
    { date, midnight: newYorkToUtcMs(date, 0), open: openMs, close: closeMs },
  );
}
