import type { PreparedQuery } from './prepared-query.ts';

export const fiveMinutesLater: PreparedQuery = {
  name: 'five-minutes-later',
  title: 'Were its buys and sells right five minutes later?',
  description:
    'For each reason to buy or sell: how far the price had gone the right way at the first trade five minutes or more after the ' +
    "decision, in basis points, and how much that is of the symbol's usual range of a day.",
  sql: `WITH acted AS (    -- what the version bought and sold
  SELECT symbol, event_time, price, action, reason,
         CASE action WHEN 'buy' THEN 1 ELSE -1 END AS direction
  FROM live.decisions
  WHERE action <> 'hold'
),
later AS (         -- each with the symbol's first trade five minutes or more after it
  SELECT acted.*,
         direction * 10000 * (trades.price / acted.price - 1)::DOUBLE AS right_way_bps
  FROM acted
  ASOF JOIN live.trades AS trades
    ON trades.symbol = acted.symbol AND trades.event_time >= acted.event_time + INTERVAL 5 MINUTE
),
usual AS (         -- high to low of a day, as a mean of the last 20
  SELECT symbol, avg(10000 * ((high - low) / close)::DOUBLE) AS range_bps
  FROM (FROM history.daily_bars
        QUALIFY row_number() OVER (PARTITION BY symbol ORDER BY session_date DESC) <= 20)
  WHERE close > 0
  GROUP BY symbol
)
SELECT action,
       reason,
       count(*)                                                     AS decisions,
       count(DISTINCT symbol)                                       AS symbols,
       round(avg(right_way_bps), 2)                                 AS right_way_bps,
       round(100 * avg((right_way_bps > 0)::INTEGER), 1)            AS right_percent,
       round(100 * avg(right_way_bps / nullif(range_bps, 0)), 2)    AS percent_of_usual_range
FROM later
LEFT JOIN usual USING (symbol)
GROUP BY action, reason
ORDER BY decisions DESC, action, reason
LIMIT 40`,
};
