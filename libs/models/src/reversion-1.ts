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
  exitSignal: {
    default: 0.25,
    min: 0,
    max: 10,
    unit: 'standard deviations',
    description: 'Distance from the average at which a position has done its work and is closed.',
  },
} as const;

/** The plain version: what has left its average comes back to it. */
export const reversion1 = defineModel({
  name: 'reversion-1',
  description: 'Trades against every price that has left its moving average, and closes when it is back.',
  parameters,
  createState: createReversionState,
  evaluate({ values, version }, states, trade) {
    const view = viewTrade(values, states, trade);
    const verdict = judge(view, values);
    learnPrice(values, view);
    return decide(view, verdict, version);
  },
});

function judge(view: View, values: ReversionParameters & { readonly exitSignal: number }): Verdict {
  const { flatMinutesBeforeClose, entrySignal, exitSignal, maxHoldMinutes, maxRelativeVolume } = values;
  if (!view.inSession) return hold(view, 'outside_session');

  if (view.state.target !== 0) {
    if (sessionEnds(view, values)) return close('session_end', flatMinutesBeforeClose);
    if (isBack(view, exitSignal)) return close('reverted', exitSignal);
    if (heldMinutes(view) >= maxHoldMinutes) return close('held_too_long', maxHoldMinutes);
    return hold(view, 'position_kept', exitSignal);
  }

  if (sessionEnds(view, values)) return hold(view, 'session_ending', flatMinutesBeforeClose);
  if (!view.warm) return hold(view, 'warming_up', values.warmUpMinutes);
  if (!beyond(view, entrySignal)) return hold(view, 'within_band', entrySignal);
  if ((view.trade.relativeVolume ?? 0) > maxRelativeVolume) return hold(view, 'heavy_volume', maxRelativeVolume);
  return fade(view, values);
}

/** True when the price of an open position is within the exit signal of its mean, or beyond it. */
function isBack({ state, signal }: View, exitSignal: number): boolean {
  return signal !== null && Math.sign(state.target) * signal >= -exitSignal;
}
