import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { EngineError } from '@tickfold/log-engine';
import { StreamError } from '@tickfold/stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { run } from '../src/run.ts';
import type { System } from '../src/system.ts';
import { scriptedSystem } from './scripted-system.ts';

let errors: string;

beforeEach(() => {
  errors = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    errors += chunk;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function tickfold(system: System, command: string, signal = new AbortController().signal) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const status = await run(command.split(' '), { openSystem: async () => system, stdout, stderr, signal });
  stdout.end();
  return { status, stdout: await text(stdout), stderr: errors };
}

const none = scriptedSystem({ snapshots: async () => [] });

test('people read the result and what comes next', async () => {
  expect(await tickfold(none, 'snapshot list')).toEqual({
    status: 0,
    stdout: 'There is no snapshot yet.\n\nNext: npx tickfold snapshot create market@open\n',
    stderr: '',
  });
});

test('programs read JSON and nothing else', async () => {
  expect(await tickfold(none, 'snapshot list --json')).toEqual({ status: 0, stdout: '[]\n', stderr: '' });
});

test.each([
  ['nothing to do', 'snapshot'],
  ['an unknown noun', 'snap list'],
  ['an unknown model', 'model replay nobody --from market@open --into try-1'],
  ['a parameter out of range', 'model replay reversion-1 --from market@open --into try-1 --set entrySignal=99'],
  ['a parameter that is no number', 'model replay reversion-1 --from market@open --into try-1 --set entrySignal=x'],
  ['an illegal name', 'snapshot create open'],
])('%s has status 2, and says what to do instead', async (_what, command) => {
  const { status, stdout, stderr } = await tickfold(scriptedSystem(), command);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^tickfold: .+\nMend: .+\n$/);
});

test.each([
  [new EngineError('illegal-name', '"A" is no volume name'), 2],
  [new EngineError('unknown-snapshot', 'there is no snapshot market@open'), 1],
  [new StreamError('unreachable', 'nobody listens'), 1],
  [new StreamError('bad-setting', "'x' is no broker address"), 2],
])('%s has status %i, without a stack trace', async (error, expected) => {
  const system = scriptedSystem({
    snapshots: async () => {
      throw error;
    },
  });
  const { status, stdout, stderr } = await tickfold(system, 'snapshot list --json');
  expect([status, stdout]).toEqual([expected, '']);
  expect(stderr).toBe(`tickfold: ${error.message}\nMend: ${error.mend}\n`);
});

test('a broker that goes away before it answers is told so that people know how to go on', async () => {
  const system = scriptedSystem({
    createSnapshot: async () => {
      throw new StreamError('disconnected', 'the connection was closed');
    },
  });
  const { status, stderr } = await tickfold(system, 'snapshot create market@open');
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^tickfold: The broker went away .*the connection was closed.*\nMend: See what is there .*\n$/,
  );
});

test('what ended because it was interrupted has status 130', async () => {
  const stop = new AbortController();
  const system = scriptedSystem({
    snapshots: async () => {
      stop.abort();
      stop.signal.throwIfAborted();
      return [];
    },
  });
  const { status, stderr } = await tickfold(system, 'snapshot list', stop.signal);
  expect(status).toBe(130);
  expect(stderr).toBe('tickfold: interrupted.\nMend: Give the command again.\n');
});
