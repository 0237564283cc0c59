import { QueryError } from './errors.ts';

/** A statement that is ready to be run. Its tables are described in docs/queries.md. */
export interface PreparedQuery {
  name: string;
  title: string;
  description: string;
  sql: string;
}

const decisionsInContext: PreparedQuery = {
  name: 'decisions-in-context',
  title: 'Where does this version trade, and is that an unusual day?',
  description:
    'For each symbol: what has traded so far today, what the version bought and sold, and both against the last 20 sessions: ' +
    'the volume that is usual by this time of day, the last close, and the volume-weighted price.',
  sql: `WITH today AS (
  SELECT symbol, count(*) AS trades, sum(size) AS volume,
         arg_max(price, event_time) AS last_price, max(event_time) AS last_time
  FROM live.trades
  GROUP BY symbol
),
decided AS (
  SELECT symbol, count(*) AS judged,
         count(*) FILTER (action = 'buy')  AS buys,
         count(*) FILTER (action = 'sell') AS sells
  FROM live.decisions
  GROUP BY symbol
),
by_now AS (  -- of each earlier session, the shares traded up to this time of day
  SELECT bars.symbol, bars.session_date, sum(bars.volume) AS volume
  FROM history.minute_bars AS bars
  JOIN history.sessions    AS sessions USING (session_date)
  JOIN live.session        AS live ON bars.minute - sessions.midnight <= live.latest - live.midnight
  GROUP BY bars.symbol, bars.session_date
),
usual AS (
  SELECT symbol, avg(volume) AS volume, count(*) AS sessions
  FROM by_now
  GROUP BY symbol
),
past AS (
  SELECT symbol, arg_max(close, session_date) AS close,
         sum((high + low + close) / 3 * volume) / sum(volume) AS price
  FROM (FROM history.daily_bars QUALIFY row_number() OVER (PARTITION BY symbol ORDER BY session_date DESC) <= 20)
  WHERE volume > 0
  GROUP BY symbol
)
SELECT today.symbol,
       today.last_price::DOUBLE                                      AS last_price,
       round(100 * (today.last_price / past.close - 1)::DOUBLE, 2)   AS change_percent,
       round(100 * (today.last_price / past.price - 1)::DOUBLE, 2)   AS from_20_session_price_percent,
       today.trades::INTEGER                                         AS trades,
       today.volume::DOUBLE                                          AS volume,
       round(today.volume::DOUBLE / usual.volume, 2)                 AS times_usual_volume,
       coalesce(decided.judged, 0)::INTEGER                          AS judged,
       coalesce(decided.buys, 0)::INTEGER                            AS buys,
       coalesce(decided.sells, 0)::INTEGER                           AS sells
FROM today
LEFT JOIN decided USING (symbol)
LEFT JOIN usual   USING (symbol)
LEFT JOIN past    USING (symbol)
ORDER BY buys + sells DESC, volume DESC, symbol
LIMIT 40`,
};

export const preparedQueries: readonly PreparedQuery[] = [decisionsInContext];

/** @throws QueryError listing the known names */
export function findPreparedQuery(name: string): PreparedQuery {
  const query = preparedQueries.find((each) => each.name === name);
  if (query !== undefined) return query;
  const known = preparedQueries.map((each) => each.name).join(', ');
  throw new QueryError(`There is no prepared query ${name}.`, `Choose one of ${known}.`);
}
