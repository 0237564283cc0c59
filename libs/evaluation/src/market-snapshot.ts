import {
  type EventSchema,
  headers,
  modelOfVolume,
  modelTopics,
  type Run,
  runSchema,
  type SourceSession,
  sourceSessionSchema,
  topics,
} from '@tickfold/market';
import type { SnapshotInfo, StreamClient } from '@tickfold/stream';
import { tickfoldVersion } from './versions.ts';

/** What made the content of a snapshot: the same pins and the same code give the same content again. */
export interface MarketPins {
  /** What filled `market.ticks`; null where nothing has said so. */
  source: Pick<SourceSession, 'identity' | 'description'> | null;
  /** What made `market.enriched` of it, last. */
  enrichment: Pick<Run, 'code' | 'parameters' | 'history' | 'tickfoldVersion' | 'nodeVersion'> | null;
  /** The versions that run live, and their parameters as JSON. */
  models: Record<string, Pick<Run, 'code' | 'parameters'>>;
  /** Of who took the snapshot. */
  tickfoldVersion: string;
  nodeVersion: string;
}

export async function marketPins(client: StreamClient): Promise<MarketPins> {
  const known = new Set((await client.admin.topics()).map(({ name }) => name));
  const last = <T>(topic: string, schema: EventSchema<T>) =>
    known.has(topic) ? lastValue(client, topic, schema) : undefined;

  const source = await last(topics.source, sourceSessionSchema);
  const enrichment = await last(topics.marketRuns, runSchema);
  const models: MarketPins['models'] = {};
  for (const model of liveModels(known)) {
    const run = await last(modelTopics(model).runs, runSchema);
    if (run !== undefined) models[model] = { code: run.code, parameters: run.parameters };
  }
  return {
    source: source === undefined ? null : { identity: source.identity, description: source.description },
    enrichment:
      enrichment === undefined
        ? null
        : {
            code: enrichment.code,
            parameters: enrichment.parameters,
            history: enrichment.history,
            tickfoldVersion: enrichment.tickfoldVersion,
            nodeVersion: enrichment.nodeVersion,
          },
    models,
    tickfoldVersion,
    nodeVersion: process.versions.node,
  };
}

/**
 * Freezes a volume as it is, and pins what made its content.
 * @param name `market@open`
 * @param others volumes that are frozen at the same cut
 * @throws StreamError `volume-refused` in the owner's own words
 */
export async function createMarketSnapshot(
  client: StreamClient,
  name: string,
  others: readonly string[] = [],
): Promise<SnapshotInfo> {
  return client.volumes.createSnapshot(name, { ...(await marketPins(client)) }, others);
}

function liveModels(known: ReadonlySet<string>): string[] {
  const volumes = [...known].map((topic) => topic.split('.')[0]!);
  return [...new Set(volumes.flatMap((volume) => modelOfVolume(volume) ?? []))].sort();
}

async function lastValue<T>(client: StreamClient, topic: string, schema: EventSchema<T>): Promise<T | undefined> {
  const record = await client.lastRecord(topic, 0);
  return record && schema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
}
