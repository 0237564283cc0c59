import type { Feed } from './contract.ts';

/** What the badge says of the feed. Simulated data is called so everywhere. */
export function feedLabel(feed: Feed | undefined): { text: string; kind: 'simulated' | 'real' | 'unknown' } {
  if (feed === undefined || feed.kind === null) return { text: 'Feed unknown', kind: 'unknown' };
  if (feed.kind === 'sim') return { text: 'Simulated data', kind: 'simulated' };
  return { text: `Replayed ${feed.kind.toUpperCase()} files`, kind: 'real' };
}

/** `60× real time`; null while unknown. */
export function speedText(feed: Feed | undefined): string | null {
  if (feed === undefined || feed.speed === null) return null;
  if (feed.speed === 0) return 'as fast as it goes';
  return feed.speed === 1 ? 'in real time' : `${feed.speed}× real time`;
}

/** How history is to be taken, and what stands in for what it does not hold. */
export function historyStatement(feed: Feed | undefined): string {
  const standIns = feed?.standIns.map((standIn) => ` ${standIn}`).join('') ?? '';
  switch (feed?.historyOrigin) {
    case 'synthetic':
      return `History is synthetic: 20 simulated sessions before this one.${standIns}`;
    case 'real':
      return `History is real: sessions before this one.${standIns}`;
    default:
      return 'No history: features that need it are empty.';
  }
}
