import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VolumeDiff } from '@tickfold/evaluation';
import { buildHistory, historyPath, simulatedHistory } from '@tickfold/history';
import { MARKET_PARTITIONS, modelVolume, volumeTopics } from '@tickfold/market';
import { findModel } from '@tickfold/models';
import { connect, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runModelInto } from '../../../../libs/evaluation/test/model-volumes.ts';
import { enrichedTicks, produceTicks, smallSession } from '../../../../libs/evaluation/test/session.ts';
import type { Job, QueryResult, Volume } from '../src/contract.ts';
import { JobBoard } from '../src/jobs/job-board.ts';
import { jobKinds } from '../src/jobs/job-kinds.ts';
import { buildServer } from '../src/server.ts';
import { createWorkbench } from '../src/workbench.ts';
import { serverParts } from './server-parts.ts';

const HOST = 'localhost:3000';
const MODELS = ['reversion-1', 'reversion-2'];
/** Generous, for machines that do much else at the same time. */
const LIMIT_MS = 120_000;

let dataDir: string;
let broker: EmbeddedBroker;
let client: StreamClient;
let server: FastifyInstance;
let jobs: JobBoard;
let tickCount: number;
const faults: string[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tickfold-jobs-'));
  broker = await startEmbeddedBroker({ dataDir });
  client = await connect({ brokers: [broker.address], clientId: 'test' });
  tickCount = await produceTicks(client, enrichedTicks());
  for (const name of MODELS) await runModelInto(client, findModel(name).create(), modelVolume(name));
  await buildHistory({ path: historyPath(dataDir), source: simulatedHistory(smallSession) });

  const kinds = { ...jobKinds, query: { ...jobKinds.query, timeoutMs: LIMIT_MS } };
  jobs = new JobBoard({ kinds, onFault: (_job, text) => faults.push(text) });
  const parts = serverParts({ jobs, jobPlace: { dataDir, stream: { brokers: [broker.address], clientId: 'web' } } });
  const workbench = createWorkbench({
    ...{ dataDir, models: MODELS, championship: parts.state.championship },
    client: () => client,
    onDamaged: (error) => faults.push(error.message),
  });
  server = await buildServer({ ...parts, workbench });
}, LIMIT_MS);

afterAll(async () => {
  await jobs.close();
  await server.close();
  await client.close();
  await broker.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function ask<T>(method: 'GET' | 'POST', url: string, payload?: object): Promise<T> {
  const headers = { host: HOST, origin: `http://${HOST}` };
  const response = await server.inject({ method, url, headers, ...(payload ? { payload } : {}) });
  if (response.statusCode >= 300) throw new Error(`${method} ${url}: ${response.body}`);
  return response.json() as T;
}

async function run(url: string, payload: object): Promise<Job> {
  const { id } = await ask<Job>('POST', url, payload);
  await expect.poll(() => jobs.find(id)?.state, { timeout: 60_000 }).not.toBe('running');
  expect(faults).toEqual([]);
  return ask<Job>('GET', `/api/jobs/${id}`);
}

test(
  'a frozen market is replayed into a new volume, which equals what the version made live',
  async () => {
    const snapshot = await ask<{ records: object }>('POST', '/api/snapshots', { name: 'market@open' });
    expect(snapshot).toMatchObject({ name: 'market@open', records: { 'market.enriched': tickCount } });
    expect(await ask('GET', '/api/snapshots')).toEqual([snapshot]);

    const replay = { model: 'reversion-1', from: 'market@open', into: 'try-1', parameters: {} };
    const replayed = await run('/api/replays', replay);
    expect(replayed).toMatchObject({ state: 'done', total: tickCount, result: { volume: 'try-1', ticks: tickCount } });

    const volumes = await ask<Volume[]>('GET', '/api/volumes');
    expect(volumes.find(({ name }) => name === 'try-1')).toMatchObject({
      ...{ model: 'reversion-1', live: false, input: 'market@open', parametersVersion: 'defaults' },
    });
    expect(volumes.find(({ name }) => name === 'model-reversion-2')).toMatchObject({
      model: 'reversion-2',
      live: true,
    });
    expect(volumes.find(({ name }) => name === 'market')).toMatchObject({ model: null, live: false });

    const compared = await run('/api/diffs', { a: 'model-reversion-1', b: 'try-1' });
    expect(compared).toMatchObject({ state: 'done', result: { equal: true } });

    const changed = { ...replay, model: 'reversion-2', into: 'try-2', parameters: { entrySignal: 1.8 } };
    await run('/api/replays', changed);
    const differing = (await run('/api/diffs', { a: 'model-reversion-2', b: 'try-2' })).result as VolumeDiff;
    expect(differing).toMatchObject({ equal: false, b: { parametersVersion: 'entrySignal=1.8' } });
    const parts = differing.profit!.parts.reduce((sum, { amountE4 }) => sum + amountE4, 0);
    expect(parts).toBe(differing.profit!.differenceE4);
  },
  LIMIT_MS,
);

test(
  'frozen outputs of live versions are shown the tick on which they part, from the live market',
  async () => {
    for (const name of MODELS) await client.volumes.createSnapshot(`${modelVolume(name)}@noon`, {});
    const { result } = await run('/api/diffs', { a: 'model-reversion-1@noon', b: 'model-reversion-2@noon' });
    const { first } = result as VolumeDiff;
    expect(first!.tick).toMatchObject({ source: first!.source });
  },
  LIMIT_MS,
);

test(
  'a version that has handled nothing yet is a problem with its mend',
  async () => {
    const names = Object.values(volumeTopics('idle'));
    await client.admin.ensureTopics(names.map((name) => ({ name, partitionCount: MARKET_PARTITIONS })));
    const { state, problem } = await run('/api/diffs', { a: 'model-reversion-1', b: 'idle' });
    expect(state).toBe('failed');
    expect(problem).toEqual({
      detail: 'No tick has been handled yet by idle: there is nothing to compare.',
      mend: 'Wait until it has, or replay both versions from one snapshot and compare the replays.',
    });
  },
  LIMIT_MS,
);

test(
  'a prepared query joins live ticks, decisions and history',
  async () => {
    const { state, result } = await run('/api/queries', { name: 'decisions-in-context', model: 'reversion-2' });
    expect(state).toBe('done');
    const { rows, columns, read } = result as QueryResult;
    expect(read['market.enriched']).toBe(tickCount);
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.every((row) => row.length === columns.length)).toBe(true);
  },
  LIMIT_MS,
);

test(
  'what fails in the job is told in its own words',
  async () => {
    const { id } = jobs.start('replay', {
      ...{ dataDir, stream: { brokers: [broker.address], clientId: 'web' } },
      ...{ model: 'reversion-1', from: 'market@gone', into: 'x-1', parameters: {} },
    });
    await expect.poll(() => jobs.find(id)?.state, { timeout: 60_000 }).toBe('failed');
    expect(jobs.find(id)?.problem).toMatchObject({
      detail: expect.stringMatching(/^There is no snapshot market@gone/),
      mend: expect.stringMatching(/./),
    });
    expect(await ask<Volume[]>('GET', '/api/volumes')).not.toContainEqual(expect.objectContaining({ name: 'x-1' }));
  },
  LIMIT_MS,
);

test(
  'a replay that is cancelled leaves nothing behind',
  async () => {
    const { id } = await ask<Job>('POST', '/api/replays', {
      ...{ model: 'reversion-2', from: 'market@open', into: 'try-3', parameters: {} },
    });
    await expect.poll(() => jobs.find(id)?.done, { timeout: 60_000, interval: 5 }).toBeGreaterThan(0);
    const job = await jobs.cancel(id);
    const there = (await ask<Volume[]>('GET', '/api/volumes')).some(({ name }) => name === 'try-3');
    expect([job?.state, there]).toEqual(job?.state === 'done' ? ['done', true] : ['failed', false]);
  },
  LIMIT_MS,
);
