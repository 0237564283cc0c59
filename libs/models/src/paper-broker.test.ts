import { describe, expect, test } from 'vitest';
import {
  type Account,
  brokerParameters,
  fillAtQuote,
  markAccount,
  markTrade,
  openAccount,
  orderTarget,
} from './paper-broker.ts';
import { resolveParameters } from './parameters.ts';

const parameters = resolveParameters({ name: 'test', parameters: brokerParameters });
const decided = { source: 'feed:1', inputOffset: 1n, eventTimeMs: 1_000 };
const later = { source: 'feed:2', inputOffset: 2n, eventTimeMs: 2_000 };

function accountWanting(target: number): Account {
  const account = openAccount();
  markTrade(account, 'BAC', 140_000);
  orderTarget(account, 'BAC', target, decided);
  return account;
}

const fill = (account: Account, bidPriceE4: number, askPriceE4: number, cause = later) =>
  fillAtQuote(account, parameters, 'BAC', { bidPriceE4, askPriceE4 }, cause);

describe('the paper broker', () => {
  test('fills a buy at the ask and names decision and quote', () => {
    expect(fill(accountWanting(300), 139_900, 140_100)).toEqual({
      symbol: 'BAC',
      eventTimeMs: 2_000,
      side: 'buy',
      quantity: 300,
      priceE4: 140_100,
      feeE4: 1_500,
      decisionSource: 'feed:1',
      decisionTimeMs: 1_000,
      quoteSource: 'feed:2',
      positionAfter: 300,
      realisedE4: 0,
    });
  });

  test('fills a sell at the bid', () => {
    expect(fill(accountWanting(-300), 139_900, 140_100)).toMatchObject({ side: 'sell', priceE4: 139_900 });
  });

  test('waits for the opposite side when only the other one changed', () => {
    const account = accountWanting(100);
    expect(fill(account, 139_900, 0)).toBeUndefined();
    expect(fill(account, 0, 140_100)).toMatchObject({ quantity: 100 });
  });

  test('never fills at the tick that decided', () => {
    expect(fill(accountWanting(100), 139_900, 140_100, decided)).toBeUndefined();
  });

  test('does not take the placeholder quote of an exchange for a price', () => {
    const account = accountWanting(100);
    expect(fill(account, 100, 1_999_990_000)).toBeUndefined();
    expect(fill(account, 0, 140_200)).toMatchObject({ priceE4: 140_200 });
  });

  test('fills an order once', () => {
    const account = accountWanting(100);
    fill(account, 139_900, 140_100);
    expect(fill(account, 139_900, 140_100)).toBeUndefined();
  });

  test('replaces a waiting order by a newer target', () => {
    const account = accountWanting(100);
    orderTarget(account, 'BAC', -50, decided);
    expect(fill(account, 139_900, 140_100)).toMatchObject({ side: 'sell', quantity: 50, positionAfter: -50 });
  });

  test('cancels a waiting order when the position held is wanted again', () => {
    const account = accountWanting(100);
    orderTarget(account, 'BAC', 0, decided);
    expect(fill(account, 139_900, 140_100)).toBeUndefined();
  });

  test('charges at least the minimum fee', () => {
    expect(fill(accountWanting(1), 139_900, 140_100)).toMatchObject({ feeE4: 1_000 });
  });

  test('counts realised profit from the average cost, and flips a position in one fill', () => {
    const account = accountWanting(100);
    fill(account, 0, 140_000);
    orderTarget(account, 'BAC', 300, decided);
    fill(account, 0, 140_300);
    orderTarget(account, 'BAC', -100, decided);
    // 300 shares cost 100 * 14.00 + 200 * 14.03 and sell at 14.05.
    expect(fill(account, 140_500, 0)).toMatchObject({
      quantity: 400,
      realisedE4: 300 * 140_500 - 100 * 140_000 - 200 * 140_300,
      positionAfter: -100,
    });
    orderTarget(account, 'BAC', 0, decided);
    expect(fill(account, 0, 140_400)).toMatchObject({ realisedE4: 100 * (140_500 - 140_400) });
  });

  test('loses no money to rounding when a position closes in parts', () => {
    const account = accountWanting(3);
    fill(account, 0, 140_000);
    orderTarget(account, 'BAC', 4, decided);
    fill(account, 0, 140_001);
    let realisedE4 = 0;
    for (const target of [3, 2, 1, 0]) {
      orderTarget(account, 'BAC', target, decided);
      realisedE4 += fill(account, 140_000, 0)!.realisedE4;
    }
    expect(realisedE4).toBe(-1);
  });

  test('values positions at the last trade and takes fees from cash', () => {
    const account = accountWanting(100);
    fill(account, 0, 140_100);
    markTrade(account, 'BAC', 140_300);
    expect(markAccount(account, 60_000)).toEqual({
      minuteMs: 60_000,
      cashE4: -14_010_000 - 1_000,
      positionValueE4: 14_030_000,
      equityE4: 20_000 - 1_000,
      feesE4: 1_000,
      fills: 1,
    });
  });

  test('refuses money that is no longer exact', () => {
    const account = accountWanting(10_000);
    markTrade(account, 'BAC', 2 ** 50);
    expect(() => fill(account, 0, 2 ** 50)).toThrow(/exact/);
  });
});
