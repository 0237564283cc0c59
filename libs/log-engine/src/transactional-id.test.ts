import { expect, test } from 'vitest';
import { newProducer, nextProducer } from './transactional-id.ts';

test('the next incarnation has one epoch more, and behind the last epoch another producer id', () => {
  expect(nextProducer({ producerId: 5, epoch: 7 })).toEqual({ producerId: 5, epoch: 8 });
  const last = { producerId: 5, epoch: 32_766 };
  expect(nextProducer(last)).toMatchObject({ epoch: 0 });
  expect(nextProducer(last).producerId).not.toBe(5);
});

test('producer ids are positive numbers that are told apart exactly', () => {
  const ids = Array.from({ length: 1000 }, () => newProducer().producerId);
  expect(new Set(ids).size).toBe(1000);
  for (const id of ids) {
    expect(Number.isSafeInteger(id)).toBe(true);
    expect(id).toBeGreaterThan(0);
  }
});
