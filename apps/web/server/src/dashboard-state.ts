import { modelTopics, type SourceSession } from '@tickfold/market';
import { ChampionshipState } from './championship-state.ts';
import type {
  Clock,
  Differences,
  EquityPoint,
  Feed,
  LiveFrame,
  ModelSummary,
  Origin,
  Overview,
  Stage,
} from './contract.ts';
import { DifferenceJoin } from './difference-join.ts';
import { changedPoints, EquityState } from './equity-state.ts';
import { MarketState } from './market-state.ts';
import type { ServiceBoard } from './services.ts';

/** Rows that the page lists, and so the most that a frame carries. */
export const RANKED_SYMBOLS = 50;

/** What the log's own counters say, sampled once a second. */
export interface Progress {
  ticksPerSecond: number | null;
  stages: Stage[];
  latestEventTimeMs: number | null;
  /** Records of a model's topics. */
  decisions: ReadonlyMap<string, number>;
  fills: ReadonlyMap<string, number>;
  /** Decisions a second, by model. */
  decisionRates: ReadonlyMap<string, number | null>;
}

export interface HistoryFacts {
  origin: Origin;
  standIns: string[];
}

export type Phase = Exclude<Clock['phase'], null>;

const NOTHING_KNOWN: Progress = {
  ticksPerSecond: null,
  stages: [],
  latestEventTimeMs: null,
  decisions: new Map(),
  fills: new Map(),
  decisionRates: new Map(),
};

/** Everything that the page shows, in bounded memory: what comes in is folded, what goes out is a frame. */
export class DashboardState {
  readonly models: readonly string[];
  readonly market = new MarketState();
  readonly differences: DifferenceJoin;
  readonly services: ServiceBoard;
  readonly equity: ReadonlyMap<string, EquityState>;
  readonly championship = new ChampionshipState();
  progress: Progress = NOTHING_KNOWN;
  history: HistoryFacts = { origin: 'none', standIns: [] };
  /** What fills the log, as the log itself says. */
  source: SourceSession | null = null;
  brokerConnected = false;
  catchingUp = true;
  readonly #phaseAt: (eventTimeMs: number) => Phase;

  constructor(models: readonly string[], services: ServiceBoard, phaseAt: (eventTimeMs: number) => Phase) {
    this.models = models;
    this.services = services;
    this.#phaseAt = phaseAt;
    this.differences = new DifferenceJoin(models);
    this.equity = new Map(models.map((model) => [model, new EquityState()]));
  }

  /** Without a broker nothing is known of rates and lags; the counts stay as they were. */
  forgetProgress(): void {
    const stages = this.progress.stages.map((stage) => ({ ...stage, lag: null, ratePerSecond: null }));
    this.progress = { ...this.progress, ticksPerSecond: null, stages, decisionRates: new Map() };
  }

  overview(): Overview {
    return {
      feed: this.feed(),
      clock: this.clock(),
      totals: this.market.totals,
      ticksPerSecond: this.progress.ticksPerSecond,
      stages: this.stages(),
      services: this.services.list(),
      models: this.models.map((_, index) => this.modelSummary(index)),
      champion: this.championship.champion,
      brokerConnected: this.brokerConnected,
      catchingUp: this.catchingUp,
    };
  }

  /** In the order of a tick's way; the page itself comes last. */
  stages(): Stage[] {
    const { stages } = this.progress;
    const decisions = this.#decisionsStage();
    return decisions === null ? stages : [...stages.slice(0, -1), decisions, ...stages.slice(-1)];
  }

  /** What is behind is known by `decisions` itself: its input changes with the champion. */
  #decisionsStage(): Stage | null {
    const { champion } = this.championship;
    if (champion === null || this.progress.stages.length === 0) return null;
    const service = this.services.find('decisions');
    const lag = this.brokerConnected && service?.state === 'up' ? service.status.lag : undefined;
    return {
      name: 'decisions',
      topic: modelTopics(champion).decisions,
      lag: typeof lag === 'number' ? lag : null,
      ratePerSecond: this.progress.decisionRates.get(champion) ?? null,
    };
  }

  feed(): Feed {
    const status = this.services.find('ingest')?.status ?? {};
    const { offers, trades, quotes } = this.market.totals;
    const { source } = this;
    return {
      kind: source?.identity.split(':')[0] ?? null,
      description: source?.description ?? null,
      speed: source?.speed ?? null,
      malformedLines: typeof status.malformed === 'number' ? status.malformed : null,
      complete: status.complete === true,
      historyOrigin: this.history.origin,
      standIns: this.history.standIns,
      offersOnly: offers > 0 && trades === 0 && quotes === 0,
    };
  }

  clock(): Clock {
    const shownEventTimeMs = this.market.shownEventTimeMs;
    return {
      shownEventTimeMs,
      latestEventTimeMs: this.progress.latestEventTimeMs,
      sessionDate: this.market.sessionDate,
      phase: shownEventTimeMs === null ? null : this.#phaseAt(shownEventTimeMs),
    };
  }

  modelSummary(index: number): ModelSummary {
    const model = this.models[index]!;
    return {
      model,
      role: index === 0 ? 'first' : index === 1 ? 'second' : 'further',
      ...this.equity.get(model)!.summary(),
      decisions: this.progress.decisions.get(model) ?? 0,
      fills: this.progress.fills.get(model) ?? 0,
    };
  }

  differenceList(): Differences {
    const { total, compared } = this.differences;
    const newest = this.differences.newest().map(({ decisions: _, ...difference }) => difference);
    return { total, compared, newest };
  }

  equityByModel(): Record<string, EquityPoint[]> {
    return Object.fromEntries([...this.equity].map(([model, state]) => [model, [...state.series()]]));
  }
}

/** Makes the frames of `/api/live`: one whole frame for a client that connects, then what changed since the last. */
export class FrameMaker {
  readonly #state: DashboardState;
  #sentRevision = 0;
  #sentRanking: ReadonlySet<string> = new Set();
  #sentEquity = new Map<string, readonly EquityPoint[]>();
  #sentDifferences = 0;

  constructor(state: DashboardState) {
    this.#state = state;
  }

  whole(): LiveFrame {
    const rows = this.#state.market.ranking(RANKED_SYMBOLS);
    return {
      whole: true,
      overview: this.#state.overview(),
      symbols: rows,
      ranking: rows.map(({ symbol }) => symbol),
      sparklines: this.#sparklines(rows.map(({ symbol }) => symbol)),
      equity: this.#state.equityByModel(),
      differences: this.#state.differenceList(),
    };
  }

  /** The same for every client. A row that newly enters the ranking is sent even if it did not change. */
  changes(options: { withSparklines: boolean }): LiveFrame {
    const { market } = this.#state;
    const rows = market.ranking(RANKED_SYMBOLS);
    const ranking = rows.map(({ symbol }) => symbol);
    const changed = new Set(market.changedSince(rows, this.#sentRevision));
    const entered = rows.filter(({ symbol }) => !this.#sentRanking.has(symbol));
    this.#sentRevision = market.revision;
    this.#sentRanking = new Set(ranking);
    return {
      whole: false,
      overview: this.#state.overview(),
      symbols: [...new Set([...changed, ...entered])],
      ranking,
      ...(options.withSparklines ? { sparklines: this.#sparklines(ranking) } : {}),
      equity: this.#changedEquity(),
      differences: this.#newDifferences(),
    };
  }

  #sparklines(symbols: string[]): Record<string, number[]> {
    return Object.fromEntries(symbols.map((symbol) => [symbol, this.#state.market.sparkline(symbol)]));
  }

  #changedEquity(): Record<string, EquityPoint[]> {
    const changed: Record<string, EquityPoint[]> = {};
    for (const [model, state] of this.#state.equity) {
      const series = state.series();
      const before = this.#sentEquity.get(model) ?? [];
      if (series === before) continue;
      const points = changedPoints(before, series);
      if (points.length > 0) changed[model] = points;
      this.#sentEquity.set(model, series);
    }
    return changed;
  }

  #newDifferences(): Differences {
    const all = this.#state.differenceList();
    const fresh = all.total - this.#sentDifferences;
    this.#sentDifferences = all.total;
    return { ...all, newest: all.newest.slice(0, fresh) };
  }
}
