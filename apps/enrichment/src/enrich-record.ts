import { type EnrichedTick, enrichedTickSchema, headers, parseTick, type TickKind, topics } from '@tickfold/market';
import type { ProcessorOutput, RecordView } from '@tickfold/stream';
import type { Enricher, EnrichmentState } from './enricher.ts';

/**
 * From a record of `market.ticks` to one of `market.enriched`. Returns what it wrote.
 *
 * @throws TickParseError when the line does not fit its kind's layout
 */
export function enrichRecord(
  enricher: Enricher,
  state: EnrichmentState,
  record: RecordView,
  emit: (output: ProcessorOutput) => void,
): EnrichedTick {
  const kind = record.header(headers.kind) ?? '';
  const source = record.header(headers.source) ?? '';
  const tick = parseTick(kind as TickKind, record.value ?? new Uint8Array(), record.timestampMs);
  const enriched = enricher.enrich(state, tick, source);
  emit({
    topic: topics.enriched,
    key: record.key,
    value: enrichedTickSchema.encode(enriched),
    timestampMs: record.timestampMs,
    // Names that are computed for every tick would cost more than the rest of its record.
    headers: { kind, source, schema: enrichedTickSchema.id } satisfies Partial<Record<keyof typeof headers, string>>,
  });
  return enriched;
}
