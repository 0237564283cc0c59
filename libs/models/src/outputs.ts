import {
  decisionSchema,
  type EventSchema,
  enrichedTickSchema,
  equityMarkSchema,
  fillSchema,
  headers,
  modelVolume,
  volumeTopics,
} from '@tickfold/market';
import { createModelFold, type FoldState } from './fold.ts';
import type { Model } from './model.ts';

/** A record of `market.enriched`, however it was read. */
export interface EnrichedRecord {
  offset: bigint;
  value: Uint8Array | null;
  header(name: string): string | undefined;
}

/** A record for one of the model's topics, in the partition of its input. */
export interface ModelOutput {
  topic: string;
  key: string | null;
  value: Uint8Array;
  timestampMs: number;
  headers: Record<string, string>;
}

/** From the bytes of an enriched tick to the bytes of what a model makes of it. Live and replay both run this. */
export interface ModelProcessor {
  outputTopics: string[];
  createState(partition: number): FoldState;
  /** @throws SchemaError when the record is no enriched tick */
  handle(state: FoldState, record: EnrichedRecord, emit: (output: ModelOutput) => void): void;
}

/** @param volume that holds what it writes; left out: the version's own, in which it runs live */
export function createModelProcessor(model: Model, volume = modelVolume(model.name)): ModelProcessor {
  const topics = volumeTopics(volume);
  const fold = createModelFold(model);
  return {
    outputTopics: [topics.decisions, topics.fills, topics.equity],
    createState: fold.createState,
    handle(state, record, emit) {
      const tick = enrichedTickSchema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
      const { decision, fill, equity } = fold.handle(state, tick, record.offset);
      const write = <T>(topic: string, key: string | null, schema: EventSchema<T>, value: T | undefined): void => {
        if (value === undefined) return;
        emit({
          topic,
          key,
          value: schema.encode(value),
          timestampMs: tick.eventTimeMs,
          headers: { [headers.source]: tick.source, [headers.schema]: schema.id },
        });
      };
      write(topics.decisions, tick.symbol, decisionSchema, decision);
      write(topics.fills, tick.symbol, fillSchema, fill);
      write(topics.equity, null, equityMarkSchema, equity);
    },
  };
}
