import type { Model } from './names.ts';

/** Every topic of the application, in one place: no service declares another's. */
export const topics = {
  ticks: 'market.ticks',
  /** One partition; which source fills `market.ticks`. */
  source: 'market.source',
  enriched: 'market.enriched',
  marketDeadLetter: 'market.dead-letter',
} as const;

/** Partitions of `market.ticks`, and so of every topic that is derived from it. */
export const MARKET_PARTITIONS = 4;

/** Groups whose committed offsets show the lag of each stage. */
export const groups = {
  enrichment: 'market.enrichment',
  analytics: (model: Model): string => `model-${model}.analytics`,
} as const;

/** Topics of a model version's own volume. */
export function modelTopics(model: Model): { decisions: string; fills: string; equity: string; deadLetter: string } {
  const volume = `model-${model}`;
  return {
    decisions: `${volume}.decisions`,
    fills: `${volume}.fills`,
    equity: `${volume}.equity`,
    deadLetter: `${volume}.dead-letter`,
  };
}

/** Record headers, short because every tick carries them. */
export const headers = {
  /** `trade`, `quote` or `offer`. */
  kind: 'kind',
  /** Source id `<file>:<line>` of the tick; every output that a tick caused carries its tick's id. */
  source: 'source',
  /** Ordinal of the tick in its source; on `market.ticks` and `market.dead-letter` only. */
  position: 'position',
  /** Offset of the input record in the same partition number of the input topic; on every processor's output. */
  input: 'input',
  /** `<name>/<version>` of the schema of a schema'd value, such as `enriched-tick/1`. */
  schema: 'schema',
  /** Why a record is a dead letter, and which app says so. */
  reason: 'reason',
  app: 'app',
} as const;
