/**
 * The features of a symbol's past, as the plain SQL that computes them: run it in any DuckDB shell on `history.duckdb`
 * with a date for $date. All of it looks at the last 20 sessions before that date, or at as many as there are.
 *
 * Sums of prices stay DECIMAL, so they are exact and come out the same in whatever order the rows are read.
 */

/** The last 20 daily bars of each symbol. */
const recentBars = `
  recent AS (
    SELECT *
    FROM daily_bars
    WHERE session_date < $date::DATE
    QUALIFY row_number() OVER (PARTITION BY symbol ORDER BY session_date DESC) <= 20
  )`;

/** Close of the last session, and mean volume. */
export const previousSessions = `
  WITH ${recentBars}
  SELECT symbol,
         arg_max(close, session_date) AS previous_close,
         avg(volume)                  AS average_volume,
         count(*)                     AS sessions
  FROM recent
  GROUP BY symbol
`;

/** Volume-weighted mean and standard deviation of the price, from every single trade. */
export const vwapFromTrades = `
  WITH ${recentBars}
  SELECT symbol,
         sum(price * size) / sum(size)                           AS vwap,
         sqrt(greatest(0, sum(price * price * size) / sum(size)
                          - (sum(price * size) / sum(size)) ** 2)) AS deviation,
         count(DISTINCT session_date)                            AS sessions
  FROM trades
  SEMI JOIN recent USING (symbol, session_date)
  WHERE size > 0
  GROUP BY symbol
`;

/** The same from daily bars, each weighing its volume at its typical price: where there are too few days of trades. */
export const vwapFromDailyBars = `
  WITH ${recentBars},
  typical AS (
    SELECT symbol, volume, (high + low + close) / 3 AS price FROM recent WHERE volume > 0
  ),
  mean AS (
    SELECT symbol, sum(price * volume) / sum(volume) AS vwap FROM typical GROUP BY symbol
  )
  SELECT symbol,
         any_value(vwap)                                            AS vwap,
         sqrt(sum(volume * (price - vwap) ** 2) / sum(volume))      AS deviation,
         count(*)                                                   AS sessions
  FROM typical
  JOIN mean USING (symbol)
  GROUP BY symbol
`;

/** How many trades had each size, by half-hour of the day in New York: 19 is 09:30 to 10:00. */
export const tradeSizes = `
  SELECT symbol,
         floor(date_diff('millisecond', midnight, event_time) / 1800000)::INTEGER AS half_hour,
         size::DOUBLE     AS size,
         count(*)::DOUBLE AS trades
  FROM trades
  JOIN sessions USING (session_date)
  WHERE session_date < $date::DATE
  GROUP BY symbol, half_hour, size
  ORDER BY symbol, half_hour, size
`;
