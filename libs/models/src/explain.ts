import { type Decision, formatPriceE4 } from '@tickfold/market/browser';

/** Says in one sentence what a model decided on a trade, and why, with the numbers that it rests on. */
export function explain(decision: Decision): string {
  return `${actionOf(decision)}: ${reasonOf(decision)}.`;
}

function actionOf({ action, previousTarget, target }: Decision): string {
  if (action === 'hold') return target === 0 ? 'Stays without a position' : `Keeps ${position(target)}`;
  const verb = action === 'buy' ? 'Buys' : 'Sells';
  const shares = `${verb} ${Math.abs(target - previousTarget)}`;
  return target === 0 ? `${shares} to close` : `${shares} to be ${position(target)}`;
}

function position(target: number): string {
  return `${target > 0 ? 'long' : 'short'} ${Math.abs(target)}`;
}

function reasonOf(decision: Decision): string {
  const { reason, priceE4, threshold, meanE4, relativeVolume, vwapDeviation, sizePercentile, size } = decision;
  const limit = figure(threshold);
  switch (reason) {
    case 'outside_session':
      return 'outside of the regular session nothing is decided';
    case 'warming_up':
      return meanE4 === null
        ? 'this is the first trade after a silence, there is no average yet'
        : `the symbol has not been watched for ${limit} minutes yet`;
    case 'within_band':
      return `${distance(decision)}, nearer than the ${limit} at which a position is opened`;
    case 'position_kept':
      return `${distance(decision)}, and the position waits for ${limit}`;
    case 'price_awaited':
      return `the price of ${formatPriceE4(priceE4)} has not come back to ${price(threshold)} yet`;
    case 'heavy_volume':
      return `${distance(decision)}, but today's volume is ${figure(relativeVolume)} times the average, above ${limit}`;
    case 'multi_day_move':
      return `${distance(decision)}, but it is also ${figure(vwapDeviation)} standard deviations from its 20-session VWAP, beyond ${limit}: a move of days is not traded against`;
    case 'small_trade':
      return `${size} shares are in percentile ${figure(sizePercentile, 0)} of trades at this time of day, below ${limit}: too small to tell something`;
    case 'session_ending':
      return `no position is opened in the last ${limit} minutes of the session`;
    case 'below_mean':
    case 'above_mean':
      return `${distance(decision)}, at or beyond ${limit}, and is expected to come back`;
    case 'reverted':
      return `${distance(decision)}: it has come back to within ${limit}`;
    case 'partly_reverted':
      return `the price of ${formatPriceE4(priceE4)} has come back to ${price(threshold)}, a part of the way to its average`;
    case 'held_too_long':
      return `${distance(decision)}, and the position has been open for ${limit} minutes`;
    case 'session_end':
      return `the session ends in less than ${limit} minutes`;
  }
}

/** `the price of 14.23 is 1.72 standard deviations above its average of 14.12` */
function distance({ priceE4, signal, meanE4 }: Decision): string {
  if (signal === null || meanE4 === null)
    return `the price of ${formatPriceE4(priceE4)} has no average to compare with`;
  const side = signal < 0 ? 'below' : 'above';
  return `the price of ${formatPriceE4(priceE4)} is ${figure(Math.abs(signal))} standard deviations ${side} its average of ${price(meanE4)}`;
}

/** Rounded to cents: an average has more decimals than anyone reads. */
function price(priceE4: number | null): string {
  return priceE4 === null ? 'unknown' : (priceE4 / 10_000).toFixed(2);
}

function figure(value: number | null, decimals = 2): string {
  return value === null ? 'unknown' : String(Number(value.toFixed(decimals)));
}
