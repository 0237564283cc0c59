import type { PreparedQuery } from './prepared-query.ts';

export const decisionsInContext: PreparedQuery = {
  name: 'decisions-in-context',
  title: 'Where does this version trade, and is that an unusual day?',
  description:
    'For each symbol: what it does today, how often the version judged, bought and sold it, and both against the 20 sessions ' +
    'before: the last close, the volume-weighted price, and the volume that is usual by this time of day.',
  sql: `WITH today AS (    -- this session's trades, out of market.enriched
  SELECT symbol,
         count(*)                 AS trades,
         max(volume_today)        AS volume,
         arg_max(price, arrival)  AS last_price
  FROM live.trades
  GROUP BY symbol
),
decided AS (       -- what the version decided about them
  SELECT symbol,
         count(*)                           AS judged,
         count(*) FILTER (action = 'buy')   AS buys,
         count(*) FILTER (action = 'sell')  AS sells
  FROM live.decisions
  GROUP BY symbol
),
usual AS (         -- shares traded by this time of day, as a mean of the sessions before
  SELECT symbol,
         sum(size) FILTER (event_time - sessions.midnight <= live.latest - live.midnight)
           / count(DISTINCT session_date) AS volume
  FROM history.trades
  JOIN history.sessions AS sessions USING (session_date)
  CROSS JOIN live.session AS live
  GROUP BY symbol
),
past AS (          -- the last 20 daily bars; a bar without a VWAP weighs in at its typical price
  SELECT symbol,
         arg_max(close, session_date)                                              AS close,
         sum(coalesce(vwap, (high + low + close) / 3) * volume) / sum(volume)      AS vwap
  FROM (FROM history.daily_bars
        QUALIFY row_number() OVER (PARTITION BY symbol ORDER BY session_date DESC) <= 20)
  WHERE volume > 0
  GROUP BY symbol
)
SELECT symbol,
       last_price,
       round(100 * (last_price / past.close - 1)::DOUBLE, 2)  AS change_percent,
       round(100 * (last_price / past.vwap - 1)::DOUBLE, 2)   AS from_vwap20_percent,
       today.volume                                           AS volume,
       round(today.volume / nullif(usual.volume, 0), 2)       AS times_usual_volume,
       today.trades                                           AS trades,
       coalesce(judged, 0)                                    AS judged,
       coalesce(buys, 0)                                      AS buys,
       coalesce(sells, 0)                                     AS sells
FROM today
LEFT JOIN decided USING (symbol)
LEFT JOIN usual   USING (symbol)
LEFT JOIN past    USING (symbol)
ORDER BY buys + sells DESC, volume DESC, symbol
LIMIT 40`,
};
