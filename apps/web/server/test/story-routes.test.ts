import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '@tickfold/log-engine';
import type { Promotion as AuditedPromotion } from '@tickfold/market';
import { PromotionError } from '@tickfold/promotion';
import { StreamError } from '@tickfold/stream';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Promotion, Snapshot, Volume } from '../src/contract.ts';
import { JobBoard, MAX_WAITING } from '../src/jobs/job-board.ts';
import { buildServer, type ServerParts } from '../src/server.ts';
import type { Workbench } from '../src/workbench.ts';
import { jobKindsOf } from './job-kinds.ts';
import { idleWorkbench, serverParts } from './server-parts.ts';

const HOST = 'localhost:3000';

const OPEN: Snapshot = {
  ...{ name: 'market@open', id: 'abc', createdAtMs: 1, sizeBytes: 2, records: { 'market.ticks': 3 } },
  pins: [{ name: 'source', label: 'Ticks', value: 'sim' }],
};
const LIVE: Volume = {
  ...{ name: 'model-reversion-1', sizeBytes: 1, model: 'reversion-1', live: true, input: null },
  parametersVersion: 'defaults',
};
const PROMOTED: AuditedPromotion = {
  ...{ commandId: 'c', action: 'promote', champion: 'reversion-2', previous: 'reversion-1', by: 'browser' },
  ...{ askedAtMs: 1, atMs: 2, fromInput: [1, 2, 3, 4], reason: null },
};

let parts: ServerParts;
let server: FastifyInstance;
let asked: unknown[];
/** What the next thing that is asked of the workbench ends in. */
let answer: Promotion | Snapshot | Error;

beforeEach(async () => {
  asked = [];
  const reply = async <T>(...question: unknown[]): Promise<T> => {
    asked.push(question);
    if (answer instanceof Error) throw answer;
    return answer as T;
  };
  const workbench: Workbench = idleWorkbench({
    snapshots: async () => [OPEN],
    volumes: async () => [LIVE],
    createSnapshot: (name) => reply('snapshot', name),
    changeChampion: (action, model) => reply(action, model),
  });
  await serve({ workbench });
});

afterEach(async () => {
  await parts.jobs.close();
  await server.close();
});

async function serve(changes: Partial<ServerParts>): Promise<void> {
  parts = serverParts(changes);
  server = await buildServer(parts);
}

const get = (url: string) => server.inject({ method: 'GET', url, headers: { host: HOST } });
function post(url: string, payload: object = {}) {
  return server.inject({ method: 'POST', url, payload, headers: { host: HOST, origin: `http://${HOST}` } });
}
function remove(url: string) {
  const request: InjectOptions = { method: 'DELETE', url, headers: { host: HOST, origin: `http://${HOST}` } };
  return server.inject(request);
}

test('the championship is told before the first champion, and after promotions, refusals and rollbacks', async () => {
  expect((await get('/api/championship')).json()).toEqual({ champion: null, rollsBackTo: null, audit: [] });
  const { championship } = parts.state;
  championship.apply({ ...PROMOTED, action: 'initial', champion: 'reversion-1', previous: null, commandId: null });
  championship.apply(PROMOTED);
  championship.apply({ ...PROMOTED, action: 'refused', reason: 'no', fromInput: [] });
  const told = (await get('/api/championship')).json();
  expect(told).toMatchObject({ champion: 'reversion-2', rollsBackTo: 'reversion-1' });
  expect(told.audit.map(({ action }: Promotion) => action)).toEqual(['refused', 'promote', 'initial']);
  expect((await get('/api/overview')).json().champion).toBe('reversion-2');
});

test('the pipeline says how far decisions is behind the champion, and that it is not known where nobody says so', async () => {
  const { state } = parts;
  const web = { name: 'web', topic: 'market.enriched', lag: 0, ratePerSecond: 1 };
  const stageOf = async () =>
    (await get('/api/overview')).json().stages.find(({ name }: Promotion & { name: string }) => name === 'decisions');
  state.progress = { ...state.progress, stages: [web], decisionRates: new Map([['reversion-2', 12]]) };
  expect(await stageOf()).toBeUndefined();

  state.championship.apply(PROMOTED);
  state.brokerConnected = true;
  expect(await stageOf()).toEqual({
    ...{ name: 'decisions', topic: 'model-reversion-2.decisions', lag: null, ratePerSecond: 12 },
  });
  state.services.apply('decisions', { instanceId: 'one', ready: true, lag: 7 }, 0);
  expect(await stageOf()).toMatchObject({ lag: 7 });
  state.services.apply('decisions', null, 1);
  expect(await stageOf()).toMatchObject({ lag: null });
});

test('a promotion and a rollback are asked for, and answered with what the audit stream says', async () => {
  answer = { ...PROMOTED };
  const promoted = await post('/api/championship/promote', { model: 'reversion-2' });
  expect([promoted.statusCode, promoted.json().champion]).toEqual([200, 'reversion-2']);
  expect((await post('/api/championship/rollback')).statusCode).toBe(200);
  expect(asked).toEqual([
    ['promote', 'reversion-2'],
    ['rollback', null],
  ]);
});

test('a refused promotion is a conflict, with the reason', async () => {
  answer = { ...PROMOTED, action: 'refused', champion: 'reversion-1', reason: 'x-9 does not run here.' };
  const response = await post('/api/championship/promote', { model: 'x-9' });
  expect([response.statusCode, response.json().status]).toEqual([409, 409]);
  expect(response.json().detail).toMatch(/^x-9 does not run here\. reversion-1 stays champion\./);
});

test('snapshots and volumes are listed', async () => {
  expect((await get('/api/snapshots')).json()).toEqual([OPEN]);
  expect((await get('/api/volumes')).json()).toEqual([LIVE]);
});

test('a snapshot is made', async () => {
  answer = OPEN;
  const response = await post('/api/snapshots', { name: 'market@open' });
  expect([response.statusCode, response.json()]).toEqual([201, OPEN]);
  expect(asked).toEqual([['snapshot', 'market@open']]);
});

const refused = (reason: string) =>
  new StreamError('volume-refused', 'snapshot x is refused', { reason, mend: 'Mend it.' });

test.each([
  ['exists', refused('snapshot-exists'), 409],
  ['has no legal name', refused('illegal-name'), 400],
  ['is of no volume', refused('unknown-volume'), 404],
  ['finds the disk full', refused('disk-full'), 503],
  ['finds no broker', new StreamError('disconnected', 'the broker went away', { mend: 'Mend it.' }), 503],
  ['nobody answers', new PromotionError('Nobody answered.', 'Mend it.'), 503],
  ['the engine refuses', new EngineError('snapshot-exists', 'it is there', { mend: 'Mend it.' }), 409],
])('what %s is a problem with its mend', async (_what, error, status) => {
  answer = error;
  const response = await post('/api/snapshots', { name: 'market@open' });
  expect(response.statusCode).toBe(status);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(response.json().detail).toMatch(/^[A-Z].*\. Mend it\.$/);
});

test('a fault of ours keeps its words to itself', async () => {
  answer = new Error('secret');
  const response = await post('/api/snapshots', { name: 'market@open' });
  expect(response.statusCode).toBe(500);
  expect(response.body).not.toContain('secret');
});

const REPLAY = { model: 'reversion-2', from: 'market@open', into: 'try-1', parameters: { entrySignal: 1.8 } };

test('a replay, a diff and a query are jobs that are followed at their address', async () => {
  const requests: [string, object][] = [
    ['/api/replays', REPLAY],
    ['/api/diffs', { a: 'model-reversion-1', b: 'market@open' }],
    ['/api/queries', { name: 'decisions-in-context', model: 'reversion-1' }],
  ];
  const kinds: string[] = [];
  for (const [url, payload] of requests) {
    const response = await post(url, payload);
    expect(response.statusCode).toBe(202);
    const job = response.json();
    expect(response.headers.location).toBe(`/api/jobs/${job.id}`);
    expect((await get(`/api/jobs/${job.id}`)).json()).toMatchObject({ id: job.id });
    expect((await remove(`/api/jobs/${job.id}`)).json()).toMatchObject({ id: job.id, state: 'failed' });
    kinds.push(job.kind);
  }
  expect(kinds).toEqual(['replay', 'diff', 'query']);
});

test.each([
  [
    '/api/replays',
    { ...REPLAY, model: 'reversion-9' },
    400,
    /^There is no model reversion-9\. .*reversion-1, reversion-2/,
  ],
  [
    '/api/replays',
    { ...REPLAY, parameters: { entrySignal: 99 } },
    400,
    /^reversion-2: entrySignal=99 .*from 0\.5 to 10/,
  ],
  ['/api/replays', { ...REPLAY, parameters: { size: 1 } }, 400, /no parameter size.*entrySignal/],
  ['/api/replays', { ...REPLAY, parameters: { entrySignal: 'much' } }, 400, /entrySignal/],
  ['/api/replays', { ...REPLAY, into: '../x' }, 400, /"\.\.\/x" is no volume's name/],
  ['/api/replays', { ...REPLAY, into: 'market' }, 400, /market belongs to what runs live/],
  ['/api/replays', { ...REPLAY, into: 'model-new' }, 400, /model-new belongs to what runs live/],
  ['/api/replays', { ...REPLAY, from: 'market@no' }, 404, /snapshot market@no\. .*market@open/],
  ['/api/replays', { model: 'reversion-1' }, 400, /from/],
  ['/api/diffs', { a: 'model-reversion-1', b: 'nothing' }, 404, /volume nothing\. .*model-reversion-1/],
  ['/api/diffs', { a: 'market@no', b: 'model-reversion-1' }, 404, /snapshot market@no\. .*market@open/],
  ['/api/queries', { name: 'nothing', model: 'reversion-1' }, 404, /prepared query nothing\. .*decisions-in-context/],
  ['/api/queries', { name: 'decisions-in-context', model: 'x-9' }, 400, /x-9\. .*reversion-1, reversion-2/],
])('POST %s of %j is refused at once with %i', async (url, payload, status, detail) => {
  const response = await post(url, payload);
  expect(response.statusCode).toBe(status);
  expect(response.json()).toMatchObject({ status, detail: expect.stringMatching(detail) });
});

test('a replay into a volume that exists, or that another replay is making, is a conflict', async () => {
  await server.close();
  const volumes = async (): Promise<Volume[]> => [LIVE, { ...LIVE, name: 'try-0', live: false }];
  const jobs = new JobBoard({ kinds: jobKindsOf({}), onFault: () => {} });
  await serve({ workbench: idleWorkbench({ snapshots: async () => [OPEN], volumes }), jobs });
  const existing = await post('/api/replays', { ...REPLAY, into: 'try-0' });
  expect([existing.statusCode, existing.json().detail]).toEqual([409, expect.stringContaining('try-0 exists')]);

  jobs.start('replay', { does: 'wait', into: 'try-1' });
  const second = await post('/api/replays', REPLAY);
  expect([second.statusCode, second.json().detail]).toEqual([409, expect.stringContaining('try-1 is under way')]);
});

test('too many jobs at once are refused, with what to wait for', async () => {
  for (let count = 0; count <= MAX_WAITING; count++) parts.jobs.start('query', { does: 'wait' });
  const response = await post('/api/queries', { name: 'decisions-in-context', model: 'reversion-1' });
  expect([response.statusCode, response.json().detail]).toEqual([429, expect.stringContaining('jobs wait')]);
});

test('a job that is not there is not found', async () => {
  expect((await get('/api/jobs/nothing')).statusCode).toBe(404);
  expect((await remove('/api/jobs/nothing')).statusCode).toBe(404);
});

test('prepared queries tell their SQL', async () => {
  const [first] = (await get('/api/queries')).json();
  expect(first).toMatchObject({ name: 'decisions-in-context', sql: expect.stringContaining('SELECT') });
});

test("addresses of the page's own are the page, and others are not", async () => {
  const clientFolder = mkdtempSync(join(tmpdir(), 'tickfold-client-'));
  writeFileSync(join(clientFolder, 'index.html'), '<title>the page</title>');
  await server.close();
  await serve({ clientFolder });
  try {
    for (const url of ['/', '/diff?a=model-a&b=try-1.5', '/sql']) {
      const response = await get(url);
      expect([url, response.statusCode, response.body]).toEqual([url, 200, '<title>the page</title>']);
      expect(response.headers['cache-control']).toBe('no-cache');
    }
    for (const url of ['/api', '/api/nothing', '/assets/gone.js', '/favicon.ico']) {
      const response = await get(url);
      expect([url, response.statusCode]).toEqual([url, 404]);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    }
    expect((await post('/diff')).statusCode).toBe(404);
  } finally {
    rmSync(clientFolder, { recursive: true, force: true });
  }
});
