import { EngineError } from '@tickfold/log-engine';
import { enrichedTickSchema, headers, runSchema, topics, volumeTopics } from '@tickfold/market';
import { findModel } from '@tickfold/models';
import { StreamError } from '@tickfold/stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMarketSnapshot, EvaluationError, type ReplayOptions, replayModel } from '../src/index.ts';
import { type Market, openMarket } from './market.ts';
import { runModelInto } from './model-volumes.ts';
import { enrichedTicks, produceTicks } from './session.ts';

const FROZEN = 40_000;
const LATER = 5_000;
const one = findModel('reversion-1').create({ warmUpMinutes: 1 });
const two = findModel('reversion-2').create({ warmUpMinutes: 1 });

let market: Market;

beforeAll(async () => {
  market = await openMarket();
  await produceTicks(market.client, enrichedTicks(), { to: FROZEN - 1 });
  await produceUnreadableTick();
  await createMarketSnapshot(market.client, 'market@open');
  await produceTicks(market.client, enrichedTicks(), { from: FROZEN, to: FROZEN + LATER });
  await runModelInto(market.client, one, 'model-reversion-1');
});
afterAll(() => market.close());

async function produceUnreadableTick(): Promise<void> {
  const producer = market.client.producer();
  const told = { [headers.schema]: enrichedTickSchema.id, [headers.source]: 'feed:0' };
  const value = Buffer.from('garbage');
  await producer.send({ topic: topics.enriched, partition: 1, key: 'X', value, timestampMs: 0, headers: told });
  await producer.flush();
  await producer.close();
}

const replay = (into: string, more: Partial<ReplayOptions> = {}) =>
  replayModel({
    dataDir: market.dataDir,
    from: 'market@open',
    model: one,
    into,
    adopt: (stagingId) => market.client.volumes.adopt(stagingId),
    ...more,
  });

const volumes = async () => (await market.client.volumes.list()).map(({ name }) => name);

async function failure(work: Promise<unknown>): Promise<{ code: string; message: string; mend: string }> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error instanceof EvaluationError || error instanceof EngineError, String(error)).toBe(true);
  return error as EvaluationError;
}

describe('a replay', () => {
  test('makes a volume like any other, and says how much is in it', async () => {
    const progress: { done: number; total: number }[] = [];
    const result = await replay('first', { onProgress: (made) => progress.push(made) });
    expect(result).toMatchObject({ volume: 'first', ticks: FROZEN, deadLetters: 1, snapshot: { name: 'market@open' } });
    expect(result.decisions).toBeGreaterThan(1_000);
    expect(result.fills).toBeGreaterThan(100);
    expect(progress.map(({ done }) => done)).toEqual(progress.map(({ done }) => done).toSorted((a, b) => a - b));
    expect(progress.at(-1)).toEqual({ done: FROZEN, total: FROZEN });
    expect(await volumes()).toContain('first');
    expect(await market.staged()).toEqual([]);
  });

  test('of the same snapshot by the same model is equal, dead letters included', async () => {
    await replay('again');
    const same = await market.diff('first', 'again');
    expect(same).toMatchObject({ equal: true, kinds: [], first: null, profit: { differenceE4: 0, parts: [] } });
    expect(same.topics.find(({ topic }) => topic === 'dead-letter')).toEqual({
      topic: 'dead-letter',
      recordsA: 1,
      recordsB: 1,
      differing: 0,
    });
  });

  test('gives what the live model made of that range, while that one has gone on', async () => {
    const same = await market.diff('model-reversion-1', 'first');
    expect(same.equal).toBe(true);
    const compared = same.range.reduce((sum, { toInput }) => sum + Number(toInput), 0);
    expect(compared).toBe(FROZEN);
    const decisions = await market.client.admin.watermarks(volumeTopics('model-reversion-1').decisions);
    const live = decisions.reduce((sum, { high }) => sum + Number(high), 0);
    expect(live).toBeGreaterThan(same.topics.find(({ topic }) => topic === 'decisions')!.recordsA);
  });

  test('by another version differs from it, priced to the last digit, and the first tick is shown', async () => {
    await replay('other', { model: two });
    const different = await market.diff('first', 'other');
    const { profit, firstAction, a, b } = different;
    expect(different.equal).toBe(false);
    expect(profit!.differenceE4).not.toBe(0);
    expect(profit!.parts.reduce((sum, { amountE4 }) => sum + amountE4, 0)).toBe(profit!.differenceE4);
    expect(profit!.parts.map(({ kind }) => kind)).not.toContain('unattributed');
    expect(firstAction!.tick).toMatchObject({ symbol: firstAction!.symbol, source: firstAction!.source });
    expect([a.model, b.model, b.input]).toEqual(['reversion-1', 'reversion-2', 'market@open']);
  });

  test('says in its runs which code read which snapshot with which parameters', async () => {
    const record = await market.client.lastRecord(volumeTopics('first').runs, 0);
    const run = runSchema.decode(record!.value!, record!.header(headers.schema));
    expect(run).toMatchObject({ app: 'replay', code: 'reversion-1', input: 'market@open', history: null });
    expect(JSON.parse(run.parameters)).toEqual(one.parameters);
    expect(run.inputId).toMatch(/^[0-9a-f]{32}$/);
    expect(run.tickfoldVersion).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe('what cannot be replayed is refused, and leaves nothing', () => {
  test.each(['market', 'live', 'default', 'model-reversion-9'])('a name that belongs to others: %s', async (name) => {
    expect(await failure(replay(name))).toMatchObject({
      code: 'target-refused',
      message: expect.stringContaining(name),
    });
    expect(await market.staged()).toEqual([]);
  });

  test('a name that is none, or has a dot', async () => {
    for (const name of ['try.1', 'Try', '', '../x']) expect((await failure(replay(name))).code).toBe('illegal-name');
    expect(await market.staged()).toEqual([]);
  });

  test('a volume that is there already', async () => {
    await replay('there');
    expect(await failure(replay('there'))).toMatchObject({
      code: 'volume-exists',
      message: expect.stringContaining('there'),
    });
  });

  test('a snapshot that is not there: those that are, are named', async () => {
    const refused = await failure(replay('x-1', { from: 'market@nothing' }));
    expect(refused.code).toBe('unknown-snapshot');
    expect(refused.message).toMatch(/market@nothing.*market@open/);
    expect(await volumes()).not.toContain('x-1');
  });

  test('a snapshot of something else, or of a market without ticks', async () => {
    await market.client.volumes.createSnapshot('model-reversion-1@noon', {});
    expect(await failure(replay('x-2', { from: 'model-reversion-1@noon' }))).toMatchObject({
      code: 'nothing-to-replay',
      message: 'model-reversion-1@noon holds no market.enriched: it is no snapshot of the market.',
    });
    const empty = await openMarket();
    try {
      await produceTicks(empty.client, []);
      await createMarketSnapshot(empty.client, 'market@early');
      const refused = await failure(replay('x-3', { dataDir: empty.dataDir, from: 'market@early' }));
      expect(refused.message).toBe('market@early was taken before there was anything in market.enriched.');
    } finally {
      await empty.close();
    }
  });

  test('an abort at the start, in the middle, and when all but the adoption is done', async () => {
    const stop = new AbortController();
    const stopped = { code: 'interrupted', message: 'The replay was stopped; it has left nothing.' };
    const inTheMiddle = { signal: stop.signal, onProgress: () => stop.abort() };
    expect(await failure(replay('x-4', inTheMiddle))).toMatchObject(stopped);
    expect(await failure(replay('x-4', { signal: AbortSignal.abort() }))).toMatchObject(stopped);
    const atTheEnd = new AbortController();
    const onProgress = ({ done, total }: { done: number; total: number }) => done === total && atTheEnd.abort();
    expect(await failure(replay('x-4', { signal: atTheEnd.signal, onProgress }))).toMatchObject(stopped);
    expect(await volumes()).not.toContain('x-4');
    expect(await market.staged()).toEqual([]);
  });

  test('an adoption that fails', async () => {
    const adopt = () => Promise.reject(new EvaluationError('target-refused', 'the broker is gone', ''));
    expect((await failure(replay('x-5', { adopt }))).message).toBe('the broker is gone');
    expect(await market.staged()).toEqual([]);
    expect(await volumes()).not.toContain('x-5');
  });

  test('except an adoption whose answer was lost: the volume may be there, and where to look is said', async () => {
    const lost = async (stagingId: string) => {
      await market.client.volumes.adopt(stagingId);
      throw new StreamError('disconnected', 'the connection broke');
    };
    expect(await failure(replay('x-7', { adopt: lost }))).toMatchObject({
      code: 'interrupted',
      message: expect.stringMatching(/x-7.*may be there.*the connection broke/),
      mend: expect.stringContaining('npx tickfold volume list'),
    });
    expect(await volumes()).toContain('x-7');
    expect(await market.staged()).toEqual([]);
  });

  test('a replay that outgrows the quota of a volume', async () => {
    // A quarter of it holds the largest batch that a producer makes, as it does where the disk is slow.
    expect(await failure(replay('x-6', { volumeQuotaBytes: 1280 * 1024 }))).toMatchObject({
      code: 'beginning-lost',
      mend: expect.stringContaining('VOLUME_QUOTA_BYTES'),
    });
    expect(await market.staged()).toEqual([]);
  });
});
