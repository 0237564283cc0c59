import { isDate, type TradingDate } from '../calendar/new-york-time.ts';
import type { SimulatorOptions } from '../simulator/index.ts';
import { FeedError } from './feed-error.ts';
import type { FeedSource } from './feed-source.ts';
import { openLeanFeed } from './lean-feed.ts';
import { openSimFeed } from './sim-feed.ts';
import { openTaqFeed } from './taq-feed.ts';

/** What `--source` names. */
export type SourceSpec = { kind: 'sim' } | { kind: 'taq' | 'lean'; path: string };

export interface SourceOptions {
  /** Which day; each source has its own default. */
  date?: TradingDate;
  /** Of the simulator only. */
  sim?: Omit<SimulatorOptions, 'date'>;
}

const VALID = 'Give sim, taq:PATH (Daily Trades lines, a file or a folder) or lean:PATH (a LEAN data folder).';

/** @throws FeedError listing the valid forms */
export function parseSourceSpec(text: string): SourceSpec {
  if (text === 'sim') return { kind: 'sim' };
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  if (kind !== 'taq' && kind !== 'lean') {
    throw new FeedError(`"${text}" is no source${kind === 'sim' ? ': sim takes no path' : ''}.`, VALID);
  }
  const path = colon < 0 ? '' : text.slice(colon + 1);
  if (path === '') throw new FeedError(`"${text}" names no path.`, VALID);
  return { kind, path };
}

/** @throws FeedError when the source cannot be read, or the date is none */
export async function openSource(spec: SourceSpec, options: SourceOptions = {}): Promise<FeedSource> {
  const { date, sim } = options;
  if (date !== undefined && !isDate(date)) throw new FeedError(`"${date}" is no date.`, 'Give a date as YYYY-MM-DD.');
  if (spec.kind === 'taq') return openTaqFeed(spec.path, date);
  if (spec.kind === 'lean') return openLeanFeed(spec.path, date);
  return openSimFeed({ ...sim, ...(date === undefined ? {} : { date }) });
}
