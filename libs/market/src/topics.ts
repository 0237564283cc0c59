import type { Model } from './names.ts';

/** Every topic of the application, in one place: no service declares another's. */
export const topics = {
  ticks: 'market.ticks',
  /** One partition; which source fills `market.ticks`. */
  source: 'market.source',
  enriched: 'market.enriched',
  marketDeadLetter: 'market.dead-letter',
  /** One partition; which code enriched `market.enriched`, from which history. */
  marketRuns: 'market.runs',
  /** The champion's decisions, and nobody else's. */
  liveDecisions: 'live.decisions',
  /** One partition: the audit stream. Who made whom champion, when, and from which offset on. */
  promotions: 'live.promotions',
  /** One partition: what was asked of `apps/decisions`. */
  promotionCommands: 'live.commands',
  liveDeadLetter: 'live.dead-letter',
} as const;

/** Partitions of `market.ticks`, and so of every topic that is derived from it. */
export const MARKET_PARTITIONS = 4;

/** Groups whose committed offsets show the lag of each stage. */
export const groups = {
  enrichment: 'market.enrichment',
  analytics: (model: Model): string => analyticsGroup(modelVolume(model)),
  decisions: 'live.decisions',
} as const;

/** Begins the names of volumes that running versions own. */
const MODEL_VOLUME_PREFIX = 'model-';

/** The volume of a version that runs live. */
export function modelVolume(model: Model): string {
  return `${MODEL_VOLUME_PREFIX}${model}`;
}

/** The version that runs live into this volume; undefined where no live version does. */
export function modelOfVolume(volume: string): Model | undefined {
  return volume.startsWith(MODEL_VOLUME_PREFIX) ? volume.slice(MODEL_VOLUME_PREFIX.length) : undefined;
}

/** The group whose committed offsets say how far a model's volume has come. */
export function analyticsGroup(volume: string): string {
  return `${volume}.analytics`;
}

export interface ModelTopics {
  decisions: string;
  fills: string;
  equity: string;
  deadLetter: string;
  /** One partition: which code wrote the others, with which parameters, from which input. */
  runs: string;
}

/** Topics of a version that runs live. */
export function modelTopics(model: Model): ModelTopics {
  return volumeTopics(modelVolume(model));
}

/** Topics of a volume that a model writes, live or in a replay. */
export function volumeTopics(volume: string): ModelTopics {
  return {
    decisions: `${volume}.decisions`,
    fills: `${volume}.fills`,
    equity: `${volume}.equity`,
    deadLetter: `${volume}.dead-letter`,
    runs: `${volume}.runs`,
  };
}

/** Record headers, short because every tick carries them. */
export const headers = {
  /** `trade`, `quote` or `offer`. */
  kind: 'kind',
  /** Source id `<file>:<line>` of the tick; every output that a tick caused carries its tick's id. */
  source: 'source',
  /** Ordinal of the tick in its source; on `market.source`, of the first one that the log lacks. */
  position: 'position',
  /** Offset of the input record in the same partition number of the input topic; on every processor's output. */
  input: 'input',
  /** `<name>/<version>` of the schema of a schema'd value, such as `enriched-tick/1`. */
  schema: 'schema',
  /** Why a record is a dead letter, and which app says so. */
  reason: 'reason',
  app: 'app',
  /** Version that decided; on `live.decisions` only. */
  model: 'model',
} as const;
