import type { Promotion } from '@tickfold/market';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { championOf } from './champion.ts';

function entry(action: Promotion['action'], champion: string, previous: string | null): Promotion {
  return {
    ...{ commandId: null, action, champion, previous, by: 'test', askedAtMs: 0, atMs: 0, fromInput: [0] },
    reason: action === 'refused' ? 'for a reason' : null,
  };
}

test('nobody is champion before the audit stream says so', () => {
  expect(championOf([])).toEqual({ champion: null, previous: null, rollsBackTo: null });
});

test('the first champion has nobody to roll back to', () => {
  expect(championOf([entry('initial', 'a', null)])).toEqual({ champion: 'a', previous: null, rollsBackTo: null });
});

test('a refusal changes nothing', () => {
  const audit = [entry('initial', 'a', null), entry('promote', 'b', 'a')];
  expect(championOf([...audit, entry('refused', 'b', 'b')])).toEqual(championOf(audit));
});

test('what is promoted twice is rolled back twice', () => {
  const audit = [entry('initial', 'a', null), entry('promote', 'b', 'a'), entry('promote', 'c', 'b')];
  expect(championOf(audit).rollsBackTo).toBe('b');
  audit.push(entry('rollback', 'b', 'c'));
  expect(championOf(audit)).toEqual({ champion: 'b', previous: 'c', rollsBackTo: 'a' });
  audit.push(entry('rollback', 'a', 'b'));
  expect(championOf(audit)).toEqual({ champion: 'a', previous: 'b', rollsBackTo: null });
});

test('a rollback is not undone by the next one', () => {
  const audit = [
    entry('initial', 'a', null),
    entry('promote', 'b', 'a'),
    entry('rollback', 'a', 'b'),
    entry('promote', 'c', 'a'),
  ];
  expect(championOf(audit).rollsBackTo).toBe('a');
});

test('as many rollbacks as promotions lead back to the first champion, whatever lies between', () => {
  const versions = fc.constantFrom('a', 'b', 'c');
  fc.assert(
    fc.property(fc.array(fc.option(versions, { nil: null })), (wishes) => {
      const audit = [entry('initial', 'a', null)];
      const step = (wish: string | null): boolean => {
        const { champion, rollsBackTo } = championOf(audit);
        const next = wish ?? rollsBackTo;
        if (next === null) return false;
        audit.push(entry(wish === null ? 'rollback' : 'promote', next, champion));
        return true;
      };
      for (const wish of wishes) step(wish);
      while (step(null));
      expect(championOf(audit)).toMatchObject({ champion: 'a', rollsBackTo: null });
      const count = (action: string) => audit.filter((each) => each.action === action).length;
      expect(count('rollback')).toBe(count('promote'));
    }),
  );
});

test('without its beginning, the stream still says who is champion, and what of it can be undone', () => {
  const audit = [entry('rollback', 'a', 'b'), entry('promote', 'c', 'a')];
  expect(championOf(audit)).toEqual({ champion: 'c', previous: 'a', rollsBackTo: 'a' });
  expect(championOf(audit.slice(0, 1))).toEqual({ champion: 'a', previous: 'b', rollsBackTo: null });
});
