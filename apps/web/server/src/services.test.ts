import { UsageError } from '@tickfold/app-runtime';
import { expect, test } from 'vitest';
import { parseServices, ServiceBoard } from './services.ts';

const up = (instanceId: string, more: Record<string, unknown> = {}) => ({
  app: 'broker',
  instanceId,
  startedAtMs: 1_000,
  ready: true,
  detail: 'ok',
  ...more,
});

test('an app that was never seen is starting, not down', () => {
  const board = new ServiceBoard(['broker']);
  board.apply('broker', null, 0);
  expect(board.find('broker')).toMatchObject({ state: 'starting', restartCount: 0 });
});

test('an app that answered and answers no more is down', () => {
  const board = new ServiceBoard(['broker']);
  board.apply('broker', up('one'), 0);
  board.apply('broker', null, 1);
  expect(board.find('broker')).toMatchObject({ state: 'down' });
});

test('another instance id is a restart, even when no poll saw the app down', () => {
  const board = new ServiceBoard(['broker']);
  board.apply('broker', up('one'), 0);
  board.apply('broker', up('two', { startedAtMs: 5_000 }), 6_000);
  board.apply('broker', up('two', { startedAtMs: 5_000 }), 7_000);
  expect(board.find('broker')).toMatchObject({ state: 'up', restartCount: 1, restartedAtMs: 5_000 });
});

test('an app that is too busy to answer is not called down', () => {
  const board = new ServiceBoard(['broker']);
  board.apply('broker', up('one'), 0);
  board.apply('broker', 'late', 1);
  expect(board.find('broker')).toMatchObject({ state: 'not-ready', detail: expect.stringContaining('busy') });
});

test('an app that is up and not ready says why', () => {
  const board = new ServiceBoard(['broker']);
  board.apply('broker', up('one', { ready: false, detail: 'recovering' }), 0);
  expect(board.find('broker')).toMatchObject({ state: 'not-ready', detail: 'recovering' });
});

test('single values of the status go out, lists and objects stay behind', () => {
  const board = new ServiceBoard(['reversion-1']);
  board.apply('reversion-1', up('one', { model: 'reversion-1', lag: 3, parameters: { shares: 5 } }), 0);
  expect(board.find('reversion-1')?.status).toEqual({ model: 'reversion-1', lag: 3 });
  expect(board.answerOfModel('reversion-1')).toMatchObject({ parameters: { shares: 5 } });
  expect(board.answerOfModel('reversion-2')).toBeNull();
});

test('SERVICES is a list of names with addresses', () => {
  expect(parseServices('broker=http://127.0.0.1:4101, ingest=http://ingest:4102/')).toEqual([
    { name: 'broker', url: 'http://127.0.0.1:4101' },
    { name: 'ingest', url: 'http://ingest:4102' },
  ]);
  expect(parseServices('')).toEqual([]);
});

test.each(['broker', 'broker=', '=http://x', 'broker=nowhere'])('SERVICES=%s is refused by its name', (text) => {
  expect(() => parseServices(text)).toThrow(UsageError);
  expect(() => parseServices(text)).toThrow(text);
});
