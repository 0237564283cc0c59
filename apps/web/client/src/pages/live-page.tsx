import { useState } from 'react';
import type { Zone } from '../format.ts';
import type { LiveState } from '../live/live-state.ts';
import { DifferencesPanel } from '../parts/differences-panel.tsx';
import { ModelsPanel } from '../parts/models-panel.tsx';
import { SymbolPanel } from '../parts/symbol-panel.tsx';
import { SymbolsPanel } from '../parts/symbols-panel.tsx';
import { SystemStrip } from '../parts/system-strip.tsx';
import { FreezeForm } from '../replay/freeze-form.tsx';
import { Page } from './page.tsx';

/** What happens now: the way of the ticks, one symbol, the versions side by side and where they differ. */
export function LivePage({ live, zone }: { live: LiveState; zone: Zone }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const selected = chosen ?? live.ranking[0] ?? null;
  return (
    <>
      <SystemStrip overview={live.overview} isStale={live.connection === 'lost'} zone={zone} />
      <section className="freeze-bar" aria-label="Freeze the input">
        <FreezeForm />
      </section>
      <Page title="Live" className={live.connection === 'lost' ? 'desk stale' : 'desk'}>
        <SymbolsPanel live={live} selected={selected} onSelect={setChosen} />
        <SymbolPanel symbol={selected} live={live} zone={zone} />
        <ModelsPanel live={live} zone={zone} />
        <DifferencesPanel live={live} zone={zone} onSelectSymbol={setChosen} />
      </Page>
    </>
  );
}
