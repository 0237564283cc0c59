import { defineModel } from './model.ts';
import {
  beyond,
  close,
  createReversionState,
  decide,
  fade,
  heldMinutes,
  hold,
  learnPrice,
  type ReversionParameters,
  reversionParameters,
  sessionEnds,
  type Verdict,
  type View,
  viewTrade,
} from './reversion.ts';

const parameters = {
  ...reversionParameters,
  leastSizePercentile: {
    default: 20,
    min: 0,
    max: 100,
    unit: 'percentile',
    description: 'A trade smaller than this share of its half hour says nothing about the price and is ignored.',
  },
  maxVwapDeviation: {
    default: 2,
    min: 0,
    max: 100,
    unit: 'standard deviations',
    description: 'A price so far from its 20-session VWAP is on a move of days, and is not traded against.',
  },
  takeBack: {
    default: 0.6,
    min: 0.05,
    max: 1,
    unit: 'share of the way',
    description: 'A position is closed when the price has come this share of the way back to the average it had left.',
  },
} as const;

/**
 * Looks at history as well: it does not stand in the way of a move of several days, ignores small trades, and is content
 * with a part of the way back.
 */
export const reversion2 = defineModel({
  name: 'reversion-2',
  description:
    'As reversion-1, but steps aside for moves of several days, ignores small trades, and closes on the way back.',
  parameters,
  createState: createReversionState,
  evaluate({ values, version }, states, trade) {
    const view = viewTrade(values, states, trade);
    const verdict = judge(view, values);
    if (verdict.reason !== 'small_trade') learnPrice(values, view);
    return decide(view, verdict, version);
  },
});

type Parameters = ReversionParameters & {
  readonly [Name in 'leastSizePercentile' | 'maxVwapDeviation' | 'takeBack']: number;
};

function judge(view: View, values: Parameters): Verdict {
  const { flatMinutesBeforeClose, leastSizePercentile, entrySignal, maxHoldMinutes, maxRelativeVolume } = values;
  const open = view.state.target !== 0;
  if (!view.inSession) return hold(view, 'outside_session');
  if (open && sessionEnds(view, values)) return close('session_end', flatMinutesBeforeClose);
  if ((view.trade.sizePercentile ?? 100) < leastSizePercentile) return hold(view, 'small_trade', leastSizePercentile);

  if (open) {
    const exitE4 = exitPriceE4(view, values.takeBack);
    if (reached(view, exitE4)) return close('partly_reverted', exitE4);
    if (heldMinutes(view) >= maxHoldMinutes) return close('held_too_long', maxHoldMinutes);
    return hold(view, 'price_awaited', exitE4);
  }

  if (sessionEnds(view, values)) return hold(view, 'session_ending', flatMinutesBeforeClose);
  if (!view.warm) return hold(view, 'warming_up', values.warmUpMinutes);
  if (!beyond(view, entrySignal)) return hold(view, 'within_band', entrySignal);
  if ((view.trade.relativeVolume ?? 0) > maxRelativeVolume) return hold(view, 'heavy_volume', maxRelativeVolume);
  if (fadesMoveOfDays(view, values.maxVwapDeviation)) return hold(view, 'multi_day_move', values.maxVwapDeviation);
  return fade(view, values);
}

/** True when the price is below its average and far below its 20-session VWAP, or above both. */
function fadesMoveOfDays({ signal, trade }: View, maxVwapDeviation: number): boolean {
  const { vwapDeviation } = trade;
  if (vwapDeviation === null || signal === null) return false;
  return Math.sign(vwapDeviation) === Math.sign(signal) && Math.abs(vwapDeviation) > maxVwapDeviation;
}

/** So far back from the price of the entry to the mean that was then. */
function exitPriceE4({ state: { entry } }: View, takeBack: number): number {
  return Math.round(entry.priceE4 + takeBack * (entry.meanE4 - entry.priceE4));
}

/** True when the price of an open position is at its exit, or beyond it. */
function reached({ state, trade }: View, exitE4: number): boolean {
  return state.target > 0 ? trade.priceE4 >= exitE4 : trade.priceE4 <= exitE4;
}
