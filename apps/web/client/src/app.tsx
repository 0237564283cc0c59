import { useState } from 'react';
import { Route, Routes } from 'react-router';
import type { Zone } from './format.ts';
import { useLive } from './live/live-store.ts';
import { DiffPage } from './pages/diff-page.tsx';
import { LivePage } from './pages/live-page.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import { ReplayPage } from './pages/replay-page.tsx';
import { SqlPage } from './pages/sql-page.tsx';
import { ConnectionBanner } from './parts/connection-banner.tsx';
import { Header } from './parts/header.tsx';
import { readZone, storeZone } from './zone.ts';

/** Header and banner follow the market on every page; the pages besides the live one stand still. */
export function App() {
  const live = useLive();
  const [zone, setZone] = useState<Zone>(readZone);

  return (
    <>
      <a className="skip-link" href="#main">
        Skip to the page
      </a>
      <Header
        overview={live.overview}
        connection={live.connection}
        zone={zone}
        onZone={(next) => {
          storeZone(next);
          setZone(next);
        }}
      />
      <ConnectionBanner connection={live.connection} overview={live.overview} />
      <Routes>
        <Route path="/" element={<LivePage live={live} zone={zone} />} />
        <Route path="/replay" element={<ReplayPage zone={zone} />} />
        <Route path="/diff" element={<DiffPage zone={zone} />} />
        <Route path="/sql" element={<SqlPage />} />
        <Route path="*" element={<NotFoundPage />} />
      </Routes>
      <footer className="footer">
        <p>
          Paper trading only: nothing here reaches a market. Charts by{' '}
          <a href="https://www.tradingview.com/" rel="noreferrer" target="_blank">
            TradingView Lightweight Charts™
          </a>{' '}
          and Recharts.
        </p>
        <p>
          <a href="/api/docs">API</a> · <a href="/metrics">Metrics</a>
        </p>
      </footer>
    </>
  );
}
