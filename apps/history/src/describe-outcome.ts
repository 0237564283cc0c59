import type { BuildOutcome, HistoryMeta } from '@tickfold/history';

/** One line, and one more for each stand-in. */
export function describeOutcome({ built, meta, elapsedMs, bytes }: BuildOutcome): string {
  const done = built
    ? `history built in ${(elapsedMs / 1000).toFixed(1)} s, ${(bytes / 1e6).toFixed(1)} MB`
    : 'history is there already';
  return [`${done}: ${contentOf(meta)}`, ...meta.standIns].join('\n');
}

function contentOf({ origin, sessions, trades, dailyBars, sessionDate }: HistoryMeta): string {
  if (origin === 'none') return `empty, for ${sessionDate}`;
  const kind = origin === 'synthetic' ? 'synthetic' : 'real';
  return `${count(trades)} ${kind} trades of ${sessions} ${sessions === 1 ? 'session' : 'sessions'} and ${count(dailyBars)} daily bars before ${sessionDate}`;
}

function count(rows: number): string {
  return rows.toLocaleString('en-US');
}
