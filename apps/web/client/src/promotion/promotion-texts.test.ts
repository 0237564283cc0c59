import { expect, test } from 'vitest';
import type { Promotion } from '../contract.ts';
import { doneText, fromInputText, promotionText, questionText } from './promotion-texts.ts';

const promotion = (changes: Partial<Promotion>): Promotion => ({
  action: 'promote',
  champion: 'reversion-2',
  previous: 'reversion-1',
  by: 'web',
  atMs: 0,
  fromInput: [],
  reason: null,
  ...changes,
});

test('before a promotion it is said what changes, what stays and how to undo it', () => {
  const { title, body, confirm } = questionText({ action: 'promote', model: 'reversion-2' }, 'reversion-1');
  expect(title).toBe('Promote reversion-2?');
  expect(confirm).toBe('Promote reversion-2');
  expect(body).toMatch(/reversion-2 go to live\.decisions; the decisions of reversion-1 before stay/);
  expect(body).toMatch(/"Roll back" undoes it/);
});

test('before a rollback it is said that nothing of the past goes', () => {
  const { title, body } = questionText({ action: 'rollback', model: 'reversion-1' }, 'reversion-2');
  expect(title).toBe('Roll back to reversion-1?');
  expect(body).toMatch(/stays in the audit stream/);
});

test('every entry of the audit stream says what happened', () => {
  expect(promotionText(promotion({}))).toBe('reversion-2 was promoted; before: reversion-1');
  expect(promotionText(promotion({ action: 'initial', champion: 'reversion-1' }))).toMatch(/first champion/);
  expect(promotionText(promotion({ action: 'rollback', champion: 'reversion-1', previous: 'reversion-2' }))).toBe(
    'Rolled back to reversion-1 from reversion-2',
  );
  expect(promotionText(promotion({ action: 'refused', reason: 'reversion-9 does not run.' }))).toMatch(
    /^Refused.*reversion-9 does not run\.$/,
  );
});

test('where a champion begins is told for every partition', () => {
  expect(fromInputText([0, 1_411])).toBe('from offset 0 of partition 0, 1,411 of 1');
  expect(fromInputText([])).toBeNull();
});

test('what was done is said in one sentence', () => {
  expect(doneText({ action: 'promote', model: 'reversion-2' })).toBe('reversion-2 is champion now.');
  expect(doneText({ action: 'rollback', model: 'reversion-1' })).toMatch(/reversion-1 is champion again/);
});
