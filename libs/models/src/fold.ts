import type { Decision, EnrichedTick, EquityMark, Fill } from '@tickfold/market';
import type { Model } from './model.ts';
import { type Account, fillAtQuote, markAccount, markTrade, openAccount, orderTarget } from './paper-broker.ts';

const MINUTE_MS = 60_000;

/** What one enriched tick brought about: at most one of each. */
export interface FoldOutputs {
  decision?: Decision;
  fill?: Fill;
  equity?: EquityMark;
}

/** State of one partition. */
export interface FoldState {
  model: unknown;
  account: Account;
  /** Start of the latest minute of event time seen. */
  minuteMs: number;
}

/** A model with its paper account, as a fold over the enriched ticks of one partition. Live and replay both run this. */
export interface ModelFold {
  readonly model: Model;
  createState(partition: number): FoldState;
  /** @param inputOffset place of the tick in its partition; grows from call to call */
  handle(state: FoldState, tick: EnrichedTick, inputOffset: bigint): FoldOutputs;
}

export function createModelFold(model: Model): ModelFold {
  const parameters = model.parameters;
  return {
    model,
    createState: () => ({ model: model.createState(), account: openAccount(), minuteMs: Number.NEGATIVE_INFINITY }),
    handle(state, tick, inputOffset) {
      const { account } = state;
      const outputs: FoldOutputs = {};

      // The mark comes first: it is the worth at the minute's start, before this tick.
      const minuteMs = Math.floor(tick.eventTimeMs / MINUTE_MS) * MINUTE_MS;
      if (minuteMs > state.minuteMs) {
        state.minuteMs = minuteMs;
        outputs.equity = markAccount(account, minuteMs);
      }

      const cause = { source: tick.source, inputOffset, eventTimeMs: tick.eventTimeMs };
      if (tick.kind === 'quote') {
        const fill = fillAtQuote(account, parameters, tick.symbol, tick, cause);
        if (fill !== undefined) outputs.fill = fill;
      } else if (tick.kind === 'trade' && tick.priceE4 > 0) {
        markTrade(account, tick.symbol, tick.priceE4);
        const decision = model.evaluate(state.model, tick);
        if (decision !== undefined) {
          outputs.decision = decision;
          if (decision.target !== decision.previousTarget) orderTarget(account, tick.symbol, decision.target, cause);
        }
      }
      return outputs;
    },
  };
}

/** Runs a fold over the enriched ticks of one partition, offset by offset from its start. */
export function* runFold(fold: ModelFold, ticks: Iterable<EnrichedTick>, partition = 0): Generator<FoldOutputs> {
  const state = fold.createState(partition);
  let inputOffset = 0n;
  for (const tick of ticks) yield fold.handle(state, tick, inputOffset++);
}
