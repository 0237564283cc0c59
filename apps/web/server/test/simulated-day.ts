import {
  createSimulator,
  type EnrichedTick,
  newYorkClock,
  parseTick,
  type SimulatorOptions,
  type Tick,
} from '@tickfold/market';
import { createModelFold, findModel, type ModelFold } from '@tickfold/models';
import type { DashboardState } from '../src/dashboard-state.ts';

const PARTITIONS = 4;

/**
 * Plays a simulated session into a dashboard's state, in this process: made-up history, but the models' own code. Each
 * step of the generator is a chunk of ticks.
 */
export function* playSimulatedDay(state: DashboardState, options: SimulatorOptions = {}): Generator<number> {
  const simulator = createSimulator(options);
  const runs = state.models.map((name) => createRun(name));
  const history = new Map<string, { previousCloseE4: number; volumeToday: number }>();
  const offsets = Array.from({ length: PARTITIONS }, () => 0n);
  const { date } = simulator;
  state.source = { identity: 'sim:test', description: `sim: simulated session of ${date}`, eventDate: date, speed: 60 };

  for (const chunk of simulator.chunks()) {
    for (const { kind, line, eventTimeMs, source, symbol } of chunk) {
      const tick = enrich(parseTick(kind, line, eventTimeMs), source, history);
      const partition = partitionOf(symbol);
      const inputOffset = offsets[partition]!;
      offsets[partition] = inputOffset + 1n;
      state.market.apply(tick, newYorkClock(eventTimeMs).date);
      for (const run of runs) run.handle(state, tick, partition, inputOffset, source);
    }
    state.progress = {
      ...state.progress,
      decisions: new Map(runs.map(({ name, decisions }) => [name, decisions])),
      fills: new Map(runs.map(({ name, fills }) => [name, fills])),
      latestEventTimeMs: chunk.at(-1)!.eventTimeMs,
    };
    yield chunk.length;
  }
}

function createRun(name: string) {
  const fold: ModelFold = createModelFold(findModel(name).create());
  const states = Array.from({ length: PARTITIONS }, (_, partition) => fold.createState(partition));
  return {
    name,
    decisions: 0,
    fills: 0,
    handle(state: DashboardState, tick: EnrichedTick, partition: number, inputOffset: bigint, source: string): void {
      const { decision, fill, equity } = fold.handle(states[partition]!, tick, inputOffset);
      if (equity) state.equity.get(name)!.apply(partition, equity);
      if (fill) this.fills += 1;
      if (!decision) return;
      this.decisions += 1;
      state.differences.add({ model: name, partition, inputOffset, source, decision });
    },
  };
}

function partitionOf(symbol: string): number {
  return [...symbol].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % PARTITIONS;
}

function enrich(
  tick: Tick,
  source: string,
  history: Map<string, { previousCloseE4: number; volumeToday: number }>,
): EnrichedTick {
  const isQuote = tick.kind === 'quote';
  const priceE4 = isQuote ? tick.bidPriceE4 || tick.askPriceE4 : tick.priceE4;
  let past = history.get(tick.symbol);
  if (!past) {
    past = { previousCloseE4: Math.round(priceE4 * 0.997), volumeToday: 0 };
    history.set(tick.symbol, past);
  }
  if (tick.kind === 'trade') past.volumeToday += tick.size;
  const { previousCloseE4, volumeToday } = past;
  const vwap20E4 = previousCloseE4 * 0.995;
  return {
    kind: tick.kind,
    symbol: tick.symbol,
    eventTimeMs: tick.eventTimeMs,
    source,
    exchange: tick.exchange,
    priceE4,
    size: isQuote ? 0 : tick.size,
    side: isQuote ? (tick.bidPriceE4 > 0 ? 'bid' : 'ask') : 'none',
    bidPriceE4: isQuote ? tick.bidPriceE4 : 0,
    bidSize: isQuote ? tick.bidSize : 0,
    askPriceE4: isQuote ? tick.askPriceE4 : 0,
    askSize: isQuote ? tick.askSize : 0,
    volumeToday,
    previousCloseE4,
    changeBps: ((priceE4 - previousCloseE4) / previousCloseE4) * 10_000,
    averageVolume20: 2_000_000,
    relativeVolume: volumeToday / 2_000_000,
    vwap20E4,
    vwapDeviation: (priceE4 - vwap20E4) / (previousCloseE4 * 0.012),
    sizePercentile: tick.kind === 'trade' ? (tick.size * 7) % 100 : null,
  };
}
