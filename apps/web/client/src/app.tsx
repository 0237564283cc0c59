import { useState } from 'react';
import type { Zone } from './format.ts';
import { useLive } from './live/live-store.ts';
import { ConnectionBanner } from './parts/connection-banner.tsx';
import { DifferencesPanel } from './parts/differences-panel.tsx';
import { Header } from './parts/header.tsx';
import { ModelsPanel } from './parts/models-panel.tsx';
import { SymbolPanel } from './parts/symbol-panel.tsx';
import { SymbolsPanel } from './parts/symbols-panel.tsx';
import { SystemStrip } from './parts/system-strip.tsx';
import { readZone, storeZone } from './zone.ts';

export function App() {
  const live = useLive();
  const [zone, setZone] = useState<Zone>(readZone);
  const [chosen, setChosen] = useState<string | null>(null);
  const selected = chosen ?? live.ranking[0] ?? null;

  return (
    <>
      <a className="skip-link" href="#main">
        Skip to the market
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
      <SystemStrip overview={live.overview} isStale={live.connection === 'lost'} zone={zone} />
      <main id="main" tabIndex={-1} className={live.connection === 'lost' ? 'desk stale' : 'desk'}>
        <SymbolsPanel live={live} selected={selected} onSelect={setChosen} />
        <SymbolPanel symbol={selected} live={live} zone={zone} />
        <ModelsPanel live={live} zone={zone} />
        <DifferencesPanel live={live} zone={zone} onSelectSymbol={setChosen} />
      </main>
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
