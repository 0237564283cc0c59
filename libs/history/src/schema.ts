import { join } from 'node:path';

/** Raised when tables change, so that a newer reader does not misread an older file. */
export const HISTORY_FORMAT = '1';

/** Where the history of a data folder is published. */
export function historyPath(dataDir: string): string {
  return join(dataDir, 'market', 'tables', 'history.duckdb');
}

/** Times are UTC. Prices are USD, exact to four decimals, adjusted for splits up to the session the history is for. */
export const createTables = `
  CREATE TABLE sessions (
    session_date DATE,       -- day in New York
    midnight     TIMESTAMP,  -- its 00:00 there
    open_time    TIMESTAMP,  -- of the regular session
    close_time   TIMESTAMP
  );
  CREATE TABLE trades (
    symbol       VARCHAR,
    event_time   TIMESTAMP,
    price        DECIMAL(18, 4),
    size         BIGINT,
    exchange     VARCHAR,
    condition    VARCHAR,
    session_date DATE
  );
  CREATE TABLE minute_bars (
    symbol       VARCHAR,
    minute       TIMESTAMP,
    open         DECIMAL(18, 4),
    high         DECIMAL(18, 4),
    low          DECIMAL(18, 4),
    close        DECIMAL(18, 4),
    volume       BIGINT,
    trades       BIGINT,
    vwap         DOUBLE,
    session_date DATE
  );
  CREATE TABLE daily_bars (
    symbol       VARCHAR,
    session_date DATE,
    open         DECIMAL(18, 4),
    high         DECIMAL(18, 4),
    low          DECIMAL(18, 4),
    close        DECIMAL(18, 4),
    volume       BIGINT,
    trades       BIGINT,     -- NULL where a file says no number
    vwap         DOUBLE,     -- likewise
    basis        VARCHAR     -- 'trades': derived from the table above; 'file': read from the feed's daily bars
  );
  CREATE TABLE meta (key VARCHAR, value VARCHAR);
`;

/** Minutes in which a symbol traded, of all hours; rowid is the order of the trades. */
export const deriveMinuteBars = `
  INSERT INTO minute_bars
  SELECT symbol,
         date_trunc('minute', event_time) AS minute,
         arg_min(price, rowid)            AS open,
         max(price)                       AS high,
         min(price)                       AS low,
         arg_max(price, rowid)            AS close,
         sum(size)                        AS volume,
         count(*)                         AS trades,
         sum(price * size) / sum(size)    AS vwap,
         session_date
  FROM trades
  WHERE size > 0
  GROUP BY symbol, session_date, minute
  ORDER BY symbol, minute
`;

/** Days of which no file told a bar: from the trades of the regular session. */
export const deriveDailyBars = `
  INSERT INTO daily_bars
  SELECT symbol,
         session_date,
         arg_min(price, trades.rowid)  AS open,
         max(price)                    AS high,
         min(price)                    AS low,
         arg_max(price, trades.rowid)  AS close,
         sum(size)                     AS volume,
         count(*)                      AS trades,
         sum(price * size) / sum(size) AS vwap,
         'trades'                      AS basis
  FROM trades
  JOIN sessions USING (session_date)
  ANTI JOIN daily_bars USING (symbol, session_date)
  WHERE size > 0 AND event_time >= open_time AND event_time < close_time
  GROUP BY symbol, session_date
  ORDER BY symbol, session_date
`;
