import { addE4, type EquityMark, type Fill, formatPriceE4, notionalE4 } from '@tickfold/market';
import type { ParameterSpecs, ParameterValues } from './parameters.ts';

/** What filling costs and assumes: a part of every model's parameters. */
export const brokerParameters = {
  feePerShareE4: {
    default: 5,
    min: 0,
    max: 10_000,
    unit: '1/10,000 USD per share',
    whole: true,
    description: 'Fee for each share bought or sold.',
  },
  feeMinimumE4: {
    default: 1_000,
    min: 0,
    max: 1_000_000,
    unit: '1/10,000 USD per order',
    whole: true,
    description: 'Least fee of an order.',
  },
  maxQuoteDistancePercent: {
    default: 5,
    min: 0.01,
    max: 100,
    unit: 'percent',
    description: 'A quote farther than this from the last trade is a placeholder of its exchange and fills nothing.',
  },
} as const satisfies ParameterSpecs;

export type BrokerParameters = ParameterValues<typeof brokerParameters>;

/** The tick that caused something: its source id and its place in the partition. */
export interface Cause {
  source: string;
  inputOffset: bigint;
  eventTimeMs: number;
}

interface Order {
  side: Fill['side'];
  quantity: number;
  decision: Cause;
}

interface Holding {
  /** Shares; negative is short. */
  position: number;
  /** Money paid for the open position, negative for a short one: what realised profit is counted from. */
  costE4: number;
  lastTradeE4: number;
  order: Order | undefined;
}

/** A paper account over the symbols of one partition. */
export interface Account {
  holdings: Map<string, Holding>;
  cashE4: number;
  feesE4: number;
  fills: number;
}

export function openAccount(): Account {
  return { holdings: new Map(), cashE4: 0, feesE4: 0, fills: 0 };
}

/** Marks a symbol at the price of its last trade. */
export function markTrade(account: Account, symbol: string, priceE4: number): void {
  const holding = account.holdings.get(symbol);
  if (holding !== undefined) holding.lastTradeE4 = priceE4;
  else account.holdings.set(symbol, { position: 0, costE4: 0, lastTradeE4: priceE4, order: undefined });
}

/**
 * Asks for a position. The order waits for a quote; a newer target replaces an order that still waits, and the target
 * that is held already cancels it.
 */
export function orderTarget(account: Account, symbol: string, target: number, decision: Cause): void {
  const holding = account.holdings.get(symbol);
  if (holding === undefined) throw new Error(`${symbol} was ordered before it traded.`);
  const change = target - holding.position;
  holding.order =
    change === 0 ? undefined : { side: change > 0 ? 'buy' : 'sell', quantity: Math.abs(change), decision };
}

/**
 * Fills the waiting order of a symbol, whole, at a quote's opposite side: a buy at the ask, a sell at the bid. A side of
 * price 0 is unchanged and fills nothing, and neither does the tick that caused the order.
 */
export function fillAtQuote(
  account: Account,
  parameters: BrokerParameters,
  symbol: string,
  quote: { bidPriceE4: number; askPriceE4: number },
  cause: Cause,
): Fill | undefined {
  const holding = account.holdings.get(symbol);
  const order = holding?.order;
  if (holding === undefined || order === undefined || cause.inputOffset <= order.decision.inputOffset) return undefined;
  const priceE4 = order.side === 'buy' ? quote.askPriceE4 : quote.bidPriceE4;
  if (priceE4 <= 0 || isPlaceholder(priceE4, holding.lastTradeE4, parameters)) return undefined;

  const feeE4 = Math.max(parameters.feeMinimumE4, notionalE4(parameters.feePerShareE4, order.quantity));
  const change = order.side === 'buy' ? order.quantity : -order.quantity;
  const cashE4 = addE4(account.cashE4, -notionalE4(priceE4, change) - feeE4);
  const realisedE4 = changePosition(holding, change, priceE4);
  holding.order = undefined;
  account.cashE4 = cashE4;
  account.feesE4 = addE4(account.feesE4, feeE4);
  account.fills += 1;
  return {
    symbol,
    eventTimeMs: cause.eventTimeMs,
    side: order.side,
    quantity: order.quantity,
    priceE4,
    feeE4,
    decisionSource: order.decision.source,
    decisionTimeMs: order.decision.eventTimeMs,
    quoteSource: cause.source,
    positionAfter: holding.position,
    realisedE4,
  };
}

function isPlaceholder(priceE4: number, lastTradeE4: number, { maxQuoteDistancePercent }: BrokerParameters): boolean {
  return Math.abs(priceE4 - lastTradeE4) * 100 > maxQuoteDistancePercent * lastTradeE4;
}

/**
 * Moves a position by so many shares at a price and returns the profit that this makes real. Shares that close carry
 * their part of the average cost, rounded towards zero; what rounding leaves stays with the open shares, so no part of
 * the money is ever lost.
 */
function changePosition(holding: Holding, change: number, priceE4: number): number {
  const { position, costE4 } = holding;
  const closes = position !== 0 && Math.sign(change) !== Math.sign(position);
  const closed = closes ? Math.min(Math.abs(change), Math.abs(position)) * Math.sign(position) : 0;
  // A product of cost and shares can pass 2^53, its quotient cannot.
  const closedCostE4 = closed === 0 ? 0 : Number((BigInt(costE4) * BigInt(closed)) / BigInt(position));
  const opened = change + closed;
  holding.position = position + change;
  holding.costE4 = addE4(costE4 - closedCostE4, notionalE4(priceE4, opened));
  return closed === 0 ? 0 : addE4(notionalE4(priceE4, closed), -closedCostE4);
}

/** What the account is worth at a time, with every position at the last trade of its symbol. */
export function markAccount(account: Account, minuteMs: number): EquityMark {
  let positionValueE4 = 0;
  for (const { position, lastTradeE4 } of account.holdings.values()) {
    positionValueE4 = addE4(positionValueE4, notionalE4(lastTradeE4, position));
  }
  const { cashE4, feesE4, fills } = account;
  return {
    minuteMs,
    cashE4,
    positionValueE4,
    equityE4: addE4(cashE4, positionValueE4),
    feesE4,
    fills,
  };
}

/** What the fills above take for granted, said for the page. */
export function brokerAssumptions(parameters: BrokerParameters): string[] {
  return [
    'Paper trading: nothing is sent to a market, and orders do not move prices.',
    'An order is filled whole, whatever the size of the quote, at the first opposite quote of its symbol on any exchange after the tick that decided: a buy at the ask, a sell at the bid.',
    'A newer target replaces an order that still waits.',
    `A quote more than ${parameters.maxQuoteDistancePercent} percent away from the last trade fills nothing.`,
    `Fee: ${formatPriceE4(parameters.feePerShareE4)} USD a share, at least ${formatPriceE4(parameters.feeMinimumE4)} USD an order.`,
    'Positions are valued at the last trade price of their symbol. Borrowing shares and money is free.',
  ];
}
