import {
  createSimulator,
  type EnrichedTick,
  enrichedTickSchema,
  headers,
  MARKET_PARTITIONS,
  parseTick,
  type SimulatorOptions,
  topics,
} from '@tickfold/market';
import { partitionOfKey, type StreamClient } from '@tickfold/stream';
import { createEnricher } from '../../../apps/enrichment/src/enricher.ts';

/** Few symbols, so that each trades often in few ticks. */
export const smallSession: SimulatorOptions = { symbolCount: 12, startAt: '09:30', peakTicksPerSecond: 200 };

/** A simulated session, with made-up features in place of history's: what the two versions judge differently. */
export function* enrichedTicks(options: SimulatorOptions = smallSession): Generator<EnrichedTick> {
  const enricher = createEnricher(new Map());
  const state = enricher.createState();
  for (const records of createSimulator(options).chunks()) {
    for (const { kind, line, eventTimeMs, source } of records) {
      const tick = enricher.enrich(state, parseTick(kind, line, eventTimeMs), source);
      if (tick.kind === 'trade') {
        tick.vwapDeviation = (tick.priceE4 % 900) / 100 - 4.5;
        tick.sizePercentile = tick.size % 100;
      }
      yield tick;
    }
  }
}

/** Fills `market.enriched`, as the enrichment app does. Returns how many ticks there are. */
export async function produceTicks(
  client: StreamClient,
  ticks: Iterable<EnrichedTick>,
  limit = Number.POSITIVE_INFINITY,
): Promise<number> {
  await client.admin.ensureTopics([{ name: topics.enriched, partitionCount: MARKET_PARTITIONS }]);
  const producer = client.producer();
  let count = 0;
  for (const tick of ticks) {
    if (count === limit) break;
    const wait = producer.send({
      topic: topics.enriched,
      partition: partitionOfKey(Buffer.from(tick.symbol), MARKET_PARTITIONS),
      key: tick.symbol,
      value: enrichedTickSchema.encode(tick),
      timestampMs: tick.eventTimeMs,
      headers: { [headers.kind]: tick.kind, [headers.source]: tick.source, [headers.schema]: enrichedTickSchema.id },
    });
    if (wait !== undefined) await wait;
    count++;
  }
  await producer.flush();
  await producer.close();
  return count;
}
