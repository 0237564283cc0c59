import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import type { Job } from '../src/contract.ts';
import { JobBoard, JobQueueFullError, MAX_ENDED, MAX_WAITING } from '../src/jobs/job-board.ts';
import type { JobSettings } from '../src/jobs/job-process.ts';
import { jobKindsOf } from './job-kinds.ts';

const WAIT = { timeout: 20_000 };

let boards: JobBoard[] = [];
let servers: Server[] = [];
let parents: ChildProcess[] = [];
const faults: string[] = [];

afterEach(async () => {
  for (const parent of parents) parent.kill('SIGKILL');
  await Promise.all(boards.map((board) => board.close()));
  for (const server of servers) server.close();
  boards = [];
  servers = [];
  parents = [];
  faults.length = 0;
});

function createBoard(limits: Partial<JobSettings> = {}): JobBoard {
  const board = new JobBoard({ kinds: jobKindsOf(limits), onFault: (_job, text) => faults.push(text) });
  boards.push(board);
  return board;
}

async function ended(job: Job): Promise<Job> {
  await expect.poll(() => job.state, WAIT).not.toBe('running');
  return job;
}

/** A port that job processes connect to, and each one's socket, which closes when its process is gone. */
async function watchPost(): Promise<{ port: number; next(): Promise<Socket> }> {
  const server = createServer();
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, next: async () => (await once(server, 'connection'))[0] as Socket };
}

async function untilClosed(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
}

test('a job tells its progress and its result', async () => {
  const board = createBoard();
  const job = board.start('diff', { does: 'finish' });
  expect(job).toMatchObject({ kind: 'diff', state: 'running', done: 0, total: 0, result: null, problem: null });
  expect(await ended(job)).toMatchObject({ state: 'done', done: 3, total: 10, result: { answer: 42 }, problem: null });
  expect(board.find(job.id)).toBe(job);
  expect(faults).toEqual([]);
});

test('an error that is meant for people arrives in its own words, with its mend', async () => {
  const job = await ended(createBoard().start('query', { does: 'refuse' }));
  expect(job).toMatchObject({
    state: 'failed',
    result: null,
    problem: { detail: 'There is no such thing.', mend: 'Name another.' },
  });
});

test("a fault's trace goes to the log, and not to who asked", async () => {
  const job = await ended(createBoard().start('query', { does: 'break' }));
  expect(job.problem?.mend).toContain('log');
  expect(JSON.stringify(job)).not.toContain('a fault in the code');
  expect(faults.join()).toMatch(/Error: a fault in the code\n\s+at /);
});

test('a process that just ends is a job that broke off', async () => {
  const job = await ended(createBoard().start('query', { does: 'exit' }));
  expect(job).toMatchObject({ state: 'failed', problem: { detail: 'The work broke off.' } });
});

test('a job that outgrows its memory ends alone, and its problem names the limit', async () => {
  const job = await ended(createBoard({ heapMiB: 32 }).start('query', { does: 'fill the memory' }));
  expect(job.problem?.detail).toContain('32 MiB');
});

// One that is to be seen ending has to have connected before its time is over.
test.each([
  ['wait', 5_000],
  ['hang', 5_000],
  ['block', 500],
])('a job that takes too long is ended, even one that would %s', async (does, timeoutMs) => {
  const { port, next } = await watchPost();
  const process = next();
  const job = await ended(createBoard({ timeoutMs }).start('query', { does, port }));
  const detail = `The work took longer than ${timeoutMs / 1_000} s and was ended.`;
  expect(job).toMatchObject({ state: 'failed', problem: { detail } });
  if (does !== 'block') await untilClosed(await process);
});

test('a job whose process cannot be started says so, and the next one of its kind is not held up', async () => {
  const board = createBoard({ entry: 'no\0file' });
  for (const job of [board.start('replay', {}), board.start('replay', {})]) {
    expect(await ended(job)).toMatchObject({ state: 'failed', problem: { detail: 'The work could not be started.' } });
  }
  expect(faults.join()).toContain('null bytes');
});

test.each(['wait', 'hang', 'block'])('a job is cancelled, even one that would %s', async (does) => {
  const board = createBoard();
  const job = board.start('replay', { does });
  if (does !== 'block') await expect.poll(() => job.done, WAIT).toBe(3);
  expect(await board.cancel(job.id)).toMatchObject({
    state: 'failed',
    problem: { detail: 'The work was cancelled.' },
  });
  expect(faults).toEqual([]);
});

test('what is finished when it is cancelled stays finished', async () => {
  const board = createBoard();
  const job = board.start('replay', { does: 'finish when stopped' });
  await expect.poll(() => job.done, WAIT).toBe(3);
  expect(await board.cancel(job.id)).toMatchObject({ state: 'done', result: { answer: 'after all' } });
  expect(await board.cancel(job.id)).toMatchObject({ state: 'done' });
  expect(await board.cancel('unknown')).toBeUndefined();
});

test('jobs of one kind run one after the other, and those of another beside them', async () => {
  const board = createBoard();
  const [first, second] = [board.start('replay', { does: 'wait' }), board.start('replay', { does: 'finish' })];
  const other = await ended(board.start('query', { does: 'finish' }));
  expect(other.state).toBe('done');
  expect(second).toMatchObject({ state: 'running', done: 0 });
  expect(board.underWay('replay')).toEqual([{ does: 'wait' }, { does: 'finish' }]);
  await board.cancel(first.id);
  expect(await ended(second)).toMatchObject({ state: 'done' });
  expect(board.underWay('replay')).toEqual([]);
});

test('a job that waits is cancelled without having begun', async () => {
  const board = createBoard();
  const first = board.start('replay', { does: 'wait' });
  const second = board.start('replay', { does: 'finish' });
  expect(await board.cancel(second.id)).toMatchObject({ state: 'failed', done: 0 });
  expect(first.state).toBe('running');
});

test('only a few jobs of a kind may wait', async () => {
  const board = createBoard();
  for (let count = 0; count <= MAX_WAITING; count++) board.start('query', { does: 'wait' });
  expect(() => board.start('query', { does: 'wait' })).toThrow(JobQueueFullError);
  expect(() => board.start('replay', { does: 'wait' })).not.toThrow();
});

test('the results of the last jobs are kept, and no more', async () => {
  const board = createBoard();
  const running = board.start('query', { does: 'wait' });
  const cancelled: string[] = [];
  for (let count = 0; count < MAX_ENDED + 5; count++) {
    const { id } = board.start('query', { does: 'finish' });
    await board.cancel(id);
    cancelled.push(id);
  }
  const last = board.start('query', { does: 'finish' });
  const kept = cancelled.filter((id) => board.find(id) !== undefined);
  expect(kept).toEqual(cancelled.slice(-MAX_ENDED));
  expect([board.find(running.id), board.find(last.id)]).toEqual([running, last]);
});

test('at shutdown every process ends, and nothing that waited begins', async () => {
  const { port, next } = await watchPost();
  const process = next();
  const board = createBoard({ cleanUpMs: 600_000 });
  const jobs = [board.start('replay', { does: 'hang', port }), board.start('replay', { does: 'finish', port })];
  const socket = await process;
  const cancelling = board.cancel(jobs[0]!.id);
  await board.close();
  await cancelling;
  await untilClosed(socket);
  expect(jobs.map(({ state }) => state)).toEqual(['failed', 'failed']);
});

test('a job does not outlive a web app that was killed', async () => {
  const { port, next } = await watchPost();
  const process_ = next();
  const script = fileURLToPath(new URL('job-parent.mjs', import.meta.url));
  const parent = spawn(process.execPath, [script, jobKindsOf({}).replay.entry, String(port)], { stdio: 'ignore' });
  parents.push(parent);
  const socket = await process_;
  parent.kill('SIGKILL');
  await untilClosed(socket);
});
