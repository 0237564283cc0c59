import type { Promotion } from '@tickfold/market';
import { expect, test } from 'vitest';
import { ChampionshipState } from './championship-state.ts';

const promotion: Promotion = {
  ...{ commandId: 'one', action: 'promote', champion: 'b', previous: 'a', by: 'browser' },
  ...{ askedAtMs: 1, atMs: 2, fromInput: [0, 0, 0, 0], reason: null },
};
const never = new AbortController().signal;

async function settled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<false>((resolve) => setImmediate(resolve, false))]);
}

test('who waits for an answer is told when that one is read, before or after it was asked for', async () => {
  const state = new ChampionshipState();
  const answered = state.untilAnswered('two', never);
  state.apply(promotion);
  expect(await settled(answered)).toBe(false);
  state.apply({ ...promotion, commandId: 'two' });
  expect(await settled(answered)).toBe(true);
  expect(await settled(state.untilAnswered('one', never))).toBe(true);
});

test('who waits for an answer waits no longer than the signal lets it', async () => {
  const stop = new AbortController();
  const answered = new ChampionshipState().untilAnswered('one', stop.signal);
  expect(await settled(answered)).toBe(false);
  stop.abort();
  expect(await settled(answered)).toBe(true);
});

test('refusals change no champion, and the audit stream is told newest first, 50 at most', () => {
  const state = new ChampionshipState();
  for (let count = 0; count < 60; count++) state.apply({ ...promotion, atMs: count });
  state.apply({ ...promotion, action: 'refused', champion: 'b', atMs: 60, reason: 'no' });
  const { champion, rollsBackTo, audit } = state.toJson();
  expect([champion, rollsBackTo, audit.length]).toEqual(['b', 'a', 50]);
  expect(audit.slice(0, 2).map(({ action, atMs }) => [action, atMs])).toEqual([
    ['refused', 60],
    ['promote', 59],
  ]);
});
