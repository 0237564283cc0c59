import { afterEach, expect, test, vi } from 'vitest';
import type { Job } from '../contract.ts';
import { type JobProgress, runJob } from './run-job.ts';

const job = (changes: Partial<Job>): Job => ({
  id: 'j/1',
  kind: 'diff',
  state: 'running',
  done: 0,
  total: 0,
  result: null,
  problem: null,
  ...changes,
});

/** Answers requests one after the other, and writes down what was asked. */
function serve(...answers: (Job | Error | { status: number; detail: string })[]): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (path: string, request: RequestInit = {}) => {
    asked.push(`${request.method ?? 'GET'} ${path}`);
    const answer = answers.shift();
    if (answer === undefined) throw new Error(`${path} was not expected`);
    if (answer instanceof Error) throw answer;
    if ('id' in answer) return Response.json(answer);
    const headers = { 'content-type': 'application/problem+json; charset=utf-8' };
    return new Response(JSON.stringify(answer), { status: answer.status, headers });
  });
  return asked;
}

function run(stop = new AbortController(), pause = () => Promise.resolve()) {
  const progress: JobProgress[] = [];
  const result = runJob('/api/diffs', {}, { signal: stop.signal, onProgress: (one) => progress.push(one), pause });
  return { result, progress };
}

afterEach(() => vi.unstubAllGlobals());

test('a job is asked for until it has ended, and gives its result', async () => {
  const asked = serve(job({}), job({ done: 5, total: 10 }), job({ state: 'done', result: { equal: true } }));
  const { result, progress } = run();
  expect(await result).toEqual({ equal: true });
  expect(progress).toEqual([
    { done: 0, total: 0 },
    { done: 5, total: 10 },
  ]);
  expect(asked).toEqual(['POST /api/diffs', 'GET /api/jobs/j%2F1', 'GET /api/jobs/j%2F1']);
});

test('a job that failed says why, with the mend', async () => {
  const problem = { detail: 'There is no volume x.', mend: 'Choose one of a, b.' };
  serve(job({ state: 'failed', problem }));
  await expect(run().result).rejects.toThrow('There is no volume x. Choose one of a, b.');
});

test('a job that the server refuses says why in the words of the problem', async () => {
  serve({ status: 409, detail: 'The volume try-1 exists already.' });
  await expect(run().result).rejects.toThrow('The volume try-1 exists already.');
});

test('a web app that does not answer for a moment is asked again, but not for ever', async () => {
  serve(job({}), new TypeError('Failed to fetch'), job({ state: 'done', result: 1 }));
  expect(await run().result).toBe(1);

  serve(job({}), ...Array.from({ length: 30 }, () => new TypeError('Failed to fetch')));
  await expect(run().result).rejects.toThrow(/does not answer/);
});

test('giving up ends the job on the server too', async () => {
  const stop = new AbortController();
  const problem = { detail: 'The comparison was cancelled.', mend: 'Start it again.' };
  const asked = serve(job({}), job({ state: 'failed', problem }));
  const { result } = run(stop, async () => stop.abort());
  expect(await result.catch((error) => error)).toBe(stop.signal.reason);
  expect(asked).toEqual(['POST /api/diffs', 'DELETE /api/jobs/j%2F1']);
});

test('a job that was done before it could be given up gives its result', async () => {
  const stop = new AbortController();
  serve(job({}), job({ state: 'done', result: { volume: 'try-1' } }));
  expect(await run(stop, async () => stop.abort()).result).toEqual({ volume: 'try-1' });
});

test('giving up while the web app does not answer says that it is not known to have ended', async () => {
  const stop = new AbortController();
  serve(job({}), new TypeError('Failed to fetch'));
  await expect(run(stop, async () => stop.abort()).result).rejects.toThrow(/does not answer/);
});

test('giving up before the job has a name ends it as soon as it has one', async () => {
  const stop = new AbortController();
  const asked = serve(job({}), job({ state: 'failed' }));
  const { result } = run(stop);
  stop.abort();
  expect(await result.catch((error) => error)).toBe(stop.signal.reason);
  expect(asked).toEqual(['POST /api/diffs', 'DELETE /api/jobs/j%2F1']);
});
