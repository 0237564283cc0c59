import { openLeanFolder, openSource, parseSourceSpec, type SourceOptions } from '@tickfold/market';
import type { HistorySource } from './build-history.ts';
import { emptyHistory } from './empty-history.ts';
import { leanHistory } from './lean-history.ts';
import { simulatedHistory } from './simulated-history.ts';

/**
 * The history that belongs to a feed, named as for ingest: `sim`, `taq:PATH` or `lean:PATH`.
 * @throws FeedError when the feed cannot be read
 */
export async function historySourceFor(source: string, options: SourceOptions = {}): Promise<HistorySource> {
  const spec = parseSourceSpec(source);
  const feed = await openSource(spec, options);
  if (spec.kind === 'sim') return simulatedHistory({ ...options.sim, date: feed.eventDate });
  return spec.kind === 'lean' ? leanHistory(await openLeanFolder(spec.path), feed) : emptyHistory(feed);
}
