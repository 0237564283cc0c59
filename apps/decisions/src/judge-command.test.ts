import type { PromotionCommand } from '@tickfold/market';
import type { Champion } from '@tickfold/promotion';
import { expect, test } from 'vitest';
import { judgeCommand } from './judge-command.ts';

const models = ['a', 'b'];
const standing: Champion = { champion: 'a', previous: 'b', rollsBackTo: 'b' };
const promote: PromotionCommand = {
  ...{ id: '1', action: 'promote', model: 'b', by: 'test' },
  ...{ atMs: 1_000, expiresAtMs: 2_000 },
};
const rollback: PromotionCommand = { ...promote, action: 'rollback', model: null };

test('another version that runs becomes champion', () => {
  expect(judgeCommand(promote, standing, models, 2_000)).toEqual({ action: 'promote', champion: 'b' });
});

test('a rollback leads to who was champion before the latest promotion', () => {
  expect(judgeCommand(rollback, standing, models, 2_000)).toEqual({ action: 'rollback', champion: 'b' });
});

const refusals: [string, PromotionCommand, Partial<Champion>, RegExp][] = [
  ['a version that does not run', { ...promote, model: 'c' }, {}, /^c does not run here. Running: a, b\.$/],
  ['the champion', { ...promote, model: 'a' }, {}, /^a is champion already\.$/],
  ['a promotion without a version', { ...promote, model: null }, {}, /names no version/],
  ['a rollback with nothing to undo', rollback, { rollsBackTo: null }, /no promotion left to undo/],
  ['a rollback to a version that does not run any more', rollback, { rollsBackTo: 'c' }, /^c does not run here/],
];

test.each(refusals)('%s is refused, with the reason', (_, command, different, reason) => {
  const verdict = judgeCommand(command, { ...standing, ...different }, models, 2_000);
  expect(verdict).toEqual({ action: 'refused', reason: expect.stringMatching(reason) });
});

test('a command that has expired is refused, whatever it asks for', () => {
  const verdict = judgeCommand(promote, standing, models, 3_500);
  expect(verdict).toEqual({ action: 'refused', reason: expect.stringContaining('1.5 s after it had expired') });
});
