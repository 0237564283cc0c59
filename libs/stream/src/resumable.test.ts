import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StreamError } from './errors.ts';
import { runResumably } from './resumable.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const disconnected = () => new StreamError('disconnected', 'gone');

test('a run that is disconnected runs again, after waits that double up to the limit', async () => {
  const waits: number[] = [];
  let runs = 0;
  await runResumably({
    run: async () => {
      if (++runs < 6) throw disconnected();
    },
    signal: new AbortController().signal,
    onInterrupted: (_, nextRunInMs) => waits.push(nextRunInMs),
    minBackoffMs: 1,
    maxBackoffMs: 4,
  });
  expect(waits).toEqual([1, 2, 4, 4, 4]);
});

test('a run that lasted makes the next wait short again', async () => {
  const waits: number[] = [];
  let runs = 0;
  await runResumably({
    run: async () => {
      if (++runs === 3) vi.advanceTimersByTime(5);
      if (runs < 5) throw disconnected();
    },
    signal: new AbortController().signal,
    onInterrupted: (_, nextRunInMs) => waits.push(nextRunInMs),
    minBackoffMs: 1,
    maxBackoffMs: 4,
  });
  expect(waits).toEqual([1, 2, 1, 2]);
});

test.each(['rejected', 'output-ahead', 'handler-contract'] as const)('an error %s is not run over', async (code) => {
  const run = vi.fn().mockRejectedValue(new StreamError(code, 'no'));
  await expect(runResumably({ run, signal: new AbortController().signal })).rejects.toMatchObject({ code });
  expect(run).toHaveBeenCalledOnce();
});

test('an aborted signal ends the waiting at once', async () => {
  const stop = new AbortController();
  const run = vi.fn().mockRejectedValue(disconnected());
  await runResumably({
    run,
    signal: stop.signal,
    minBackoffMs: 3_600_000,
    onInterrupted: () => setImmediate(() => stop.abort()),
  });
  expect(run).toHaveBeenCalledOnce();
});

test('a disconnect after the signal is no error', async () => {
  const stop = new AbortController();
  const run = async () => {
    stop.abort();
    throw disconnected();
  };
  await expect(runResumably({ run, signal: stop.signal })).resolves.toBeUndefined();
});
