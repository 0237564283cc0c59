import type { FeedSource } from '@tickfold/market';
import type { HistorySource } from './build-history.ts';

/** For a feed without a past: all tables are there, and empty. */
export function emptyHistory(feed: Pick<FeedSource, 'identity' | 'description' | 'eventDate'>): HistorySource {
  return {
    identity: feed.identity,
    description: feed.description,
    origin: 'none',
    sessionDate: feed.eventDate,
    fill: async () => ({ standIns: ['The feed has no history: every feature that needs one is null.'] }),
  };
}
