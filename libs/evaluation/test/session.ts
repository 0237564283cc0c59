import {
  createSimulator,
  type EnrichedTick,
  enrichedTickSchema,
  headers,
  MARKET_PARTITIONS,
  parseTick,
  type SimulatorOptions,
  type Tick,
  topics,
} from '@tickfold/market';
import { partitionOfKey, type StreamClient } from '@tickfold/stream';

/** Few symbols, so that each trades often in few ticks. */
export const smallSession: SimulatorOptions = { symbolCount: 12, startAt: '09:30', peakTicksPerSecond: 200 };

/** A simulated session, with made-up features in place of history's: what the two versions judge differently. */
export function* enrichedTicks(options: SimulatorOptions = smallSession): Generator<EnrichedTick> {
  for (const records of createSimulator(options).chunks()) {
    for (const { kind, line, eventTimeMs, source } of records) {
      yield withFeatures(parseTick(kind, line, eventTimeMs), source);
    }
  }
}

export function withFeatures(tick: Tick, source: string): EnrichedTick {
  const { kind, symbol, eventTimeMs, exchange } = tick;
  const quote = tick.kind === 'quote' ? tick : { bidPriceE4: 0, bidSize: 0, askPriceE4: 0, askSize: 0 };
  const { bidPriceE4, bidSize, askPriceE4, askSize } = quote;
  const priceE4 = tick.kind === 'quote' ? bidPriceE4 || askPriceE4 : tick.priceE4;
  const size = tick.kind === 'quote' ? bidSize || askSize : tick.size;
  return {
    kind,
    symbol,
    eventTimeMs,
    source,
    exchange,
    priceE4,
    size,
    side: tick.kind !== 'quote' ? 'none' : bidPriceE4 > 0 ? 'bid' : 'ask',
    bidPriceE4,
    bidSize,
    askPriceE4,
    askSize,
    volumeToday: 0,
    previousCloseE4: null,
    changeBps: null,
    averageVolume20: null,
    relativeVolume: null,
    vwap20E4: null,
    vwapDeviation: kind === 'trade' ? (priceE4 % 900) / 100 - 4.5 : null,
    sizePercentile: kind === 'trade' ? (size / 100) % 100 : null,
  };
}

/** Fills `market.enriched`, as the enrichment app does, with the ticks from one on to before another. Returns how many. */
export async function produceTicks(
  client: StreamClient,
  ticks: Iterable<EnrichedTick>,
  { from = 0, to = Number.POSITIVE_INFINITY } = {},
): Promise<number> {
  await client.admin.ensureTopics([{ name: topics.enriched, partitionCount: MARKET_PARTITIONS }]);
  const producer = client.producer();
  let index = 0;
  let count = 0;
  for (const tick of ticks) {
    if (index === to) break;
    if (index++ < from) continue;
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
