import { groups, MARKET_PARTITIONS, modelTopics, topics } from '@tickfold/market';
import type { StreamClient, Watermark } from '@tickfold/stream';
import type { Stage } from './contract.ts';
import type { Progress } from './dashboard-state.ts';
import { countOf, lagOf, Rate } from './progress.ts';
import type { ReadPositions } from './stream-feed.ts';

/** Where a model's cursor stands in one partition. */
export interface ModelPosition {
  model: string;
  partition: number;
  /** Every enriched tick before it is handled by the model. */
  nextOffset: bigint;
  /** End of the model's decisions, asked after the cursor: a reader that is there has seen what the cursor covers. */
  decisionsEnd: bigint;
}

/** Asks the broker how far each stage is, and what the page has read how much there is. */
export class ProgressSampler {
  readonly #client: StreamClient;
  readonly #models: readonly string[];
  readonly #positions: ReadPositions;
  readonly #tickRate = new Rate();
  readonly #enrichedRate = new Rate();
  readonly #decisionRates: ReadonlyMap<string, Rate>;
  #modelPositions: ModelPosition[] = [];
  /** The page's own lag was seen at 0 since this connection began. */
  hasCaughtUp = false;

  constructor(client: StreamClient, models: readonly string[], positions: ReadPositions) {
    this.#client = client;
    this.#models = models;
    this.#positions = positions;
    this.#decisionRates = new Map(models.map((model) => [model, new Rate()]));
  }

  async sample(nowMs: number): Promise<Progress> {
    const present = new Set((await this.#client.admin.topics()).map(({ name }) => name));
    const watermarks = async (topic: string): Promise<Watermark[]> =>
      present.has(topic) ? this.#client.admin.watermarks(topic) : [];

    const [ticks, enriched] = await Promise.all([watermarks(topics.ticks), watermarks(topics.enriched)]);
    this.#tickRate.sample(nowMs, BigInt(this.#positions.countOf(topics.ticks)));
    this.#enrichedRate.sample(nowMs, BigInt(this.#positions.countOf(topics.enriched)));

    const stages: Stage[] = [await this.#enrichmentStage(ticks)];
    const decisions = new Map<string, number>();
    const fills = new Map<string, number>();
    this.#modelPositions = [];
    for (const model of this.#models) {
      const names = modelTopics(model);
      const committed = await this.#client.admin.committedOffsets(groups.analytics(model), topics.enriched);
      const decided = await watermarks(names.decisions);
      const decisionCount = this.#positions.countOf(names.decisions);
      decisions.set(model, decisionCount);
      this.#decisionRates.get(model)!.sample(nowMs, BigInt(decisionCount));
      fills.set(model, this.#positions.countOf(names.fills));
      this.#modelPositions.push(...modelPositions(model, committed, decided));
      stages.push({
        name: model,
        topic: topics.enriched,
        lag: lagOf(committed, enriched),
        ratePerSecond: this.#enrichedRate.perSecond(),
      });
    }
    stages.push(this.#pageStage(enriched));
    return {
      ticksPerSecond: this.#tickRate.perSecond(),
      stages,
      latestEventTimeMs: await this.#latestEventTimeMs(ticks),
      decisions,
      fills,
      decisionRates: new Map([...this.#decisionRates].map(([model, rate]) => [model, rate.perSecond()])),
    };
  }

  /** As of the last sample. */
  modelPositions(): readonly ModelPosition[] {
    return this.#modelPositions;
  }

  async #enrichmentStage(ticks: Watermark[]): Promise<Stage> {
    const committed = await this.#client.admin.committedOffsets(groups.enrichment, topics.ticks);
    return {
      name: 'enrichment',
      topic: topics.ticks,
      lag: lagOf(committed, ticks),
      ratePerSecond: this.#tickRate.perSecond(),
    };
  }

  #pageStage(enriched: Watermark[]): Stage {
    const lag = lagOf(this.#positions.of(topics.enriched), enriched);
    if (lag === 0) this.hasCaughtUp = true;
    return { name: 'web', topic: topics.enriched, lag, ratePerSecond: this.#enrichedRate.perSecond() };
  }

  async #latestEventTimeMs(ticks: Watermark[]): Promise<number | null> {
    if (countOf(ticks) === 0n) return null;
    const partitions = Array.from({ length: MARKET_PARTITIONS }, (_, partition) => partition);
    const last = await Promise.all(partitions.map((partition) => this.#client.lastRecord(topics.ticks, partition)));
    return last.reduce<number | null>((latest, record) => {
      if (!record) return latest;
      return latest === null || record.timestampMs > latest ? record.timestampMs : latest;
    }, null);
  }
}

function modelPositions(model: string, committed: ReadonlyMap<number, bigint>, decided: Watermark[]): ModelPosition[] {
  return decided.flatMap(({ partition, high }) => {
    const nextOffset = committed.get(partition);
    return nextOffset === undefined ? [] : [{ model, partition, nextOffset, decisionsEnd: high }];
  });
}
