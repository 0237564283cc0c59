import { useEffect, useMemo, useState } from 'react';
import { mergeBars } from '../charts/candles.ts';
import type { MinuteBar, SymbolDetail, SymbolRow } from '../contract.ts';
import { fetchJson } from './fetch-json.ts';
import { type Resource, useResource } from './use-resource.ts';

/**
 * One symbol, live. The frames carry its newest minute only; when a new minute begins, the minutes since the last
 * known one are fetched, so that none is missed at any speed.
 *
 * @param epoch changes with the session and with every new connection; everything is then fetched anew
 */
export function useSymbol(symbol: string | null, row: SymbolRow | undefined, epoch: string): Resource<SymbolDetail> {
  const path = symbol === null ? null : `/api/symbols/${encodeURIComponent(symbol)}`;
  const resource = useResource<SymbolDetail>(path, epoch);
  const [later, setLater] = useState<{ of: SymbolDetail | null; bars: readonly MinuteBar[] }>({ of: null, bars: [] });

  const detail = resource.state === 'ready' ? resource.value : null;
  const bars = useMemo(
    () => (detail === null ? [] : mergeBars(detail.bars, later.of === detail ? later.bars : [])),
    [detail, later],
  );

  const lastMs = bars.at(-1)?.startMs ?? 0;
  const liveBar = row?.bar ?? null;
  const isNewMinute = detail !== null && liveBar !== null && liveBar.startMs > lastMs;
  useEffect(() => {
    if (!isNewMinute || path === null) return;
    const stop = new AbortController();
    fetchJson<{ bars: MinuteBar[] }>(`${path}/bars?fromMs=${lastMs}`, stop.signal).then(
      (answer) =>
        setLater((held) => ({ of: detail, bars: mergeBars(held.of === detail ? held.bars : [], answer.bars) })),
      () => {}, // the connection's state is told elsewhere; the next minute asks again
    );
    return () => stop.abort();
  }, [isNewMinute, path, lastMs, detail]);

  return useMemo(() => {
    if (detail === null) return resource;
    const current = liveBar !== null && liveBar.startMs === lastMs ? mergeBars(bars, [liveBar]) : bars;
    return { state: 'ready', value: { ...detail, row: row ?? detail.row, bars: current } };
  }, [resource, detail, row, liveBar, lastMs, bars]);
}
