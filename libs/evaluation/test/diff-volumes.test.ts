import { analyticsGroup, headers, type Run, runSchema, topics, volumeTopics } from '@tickfold/market';
import { findModel } from '@tickfold/models';
import { connect, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ComparedVolume, diffVolumes, type VolumeDiff } from '../src/index.ts';
import { runModelInto } from './model-volumes.ts';
import { enrichedTicks, produceTicks } from './session.ts';

const TICKS = 25_000;
const quick = { warmUpMinutes: 1 };

let broker: EmbeddedBroker;
let client: StreamClient;

beforeAll(async () => {
  broker = await startEmbeddedBroker();
  client = await connect({ brokers: [broker.address], clientId: 'test' });
  await produceTicks(client, enrichedTicks(), { to: TICKS });
  await runModelInto(client, findModel('reversion-1').create(quick), 'one');
  await runModelInto(client, findModel('reversion-1').create(quick), 'one-again');
  await runModelInto(client, findModel('reversion-2').create(quick), 'two');
  await runModelInto(client, findModel('reversion-1').create({ ...quick, maxHoldMinutes: 31 }), 'renamed');
});
afterAll(async () => {
  await client.close();
  await broker.stop();
});

const volume = (name: string): ComparedVolume => ({ ref: name, volume: name, client });
const diff = (a: string, b: string): Promise<VolumeDiff> =>
  diffVolumes(volume(a), volume(b), { dataDir: broker.dataDir });
const topicOf = ({ topics: all }: VolumeDiff, name: string) => all.find(({ topic }) => topic === name)!;
const sum = (amounts: number[]) => amounts.reduce((all, one) => all + one, 0);

test('the same model twice on the same ticks is equal', async () => {
  const same = await diff('one', 'one-again');
  expect(same).toMatchObject({ equal: true, kinds: [], first: null, firstAction: null });
  expect(same.profit).toMatchObject({ differenceE4: 0, parts: [] });
  expect(same.profit!.fillsA).toBeGreaterThan(100);
  for (const { recordsA, recordsB, differing } of same.topics) expect([recordsB, differing]).toEqual([recordsA, 0]);
  expect(topicOf(same, 'decisions').recordsA).toBeGreaterThan(1_000);
  expect(same.range.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
  expect(sum(same.range.map(({ toInput }) => Number(toInput)))).toBe(TICKS);
});

describe('two versions on the same ticks', () => {
  let versions: VolumeDiff;
  beforeAll(async () => {
    versions = await diff('one', 'two');
  });

  test('differ, and the parts of the difference in profit sum up to it exactly', () => {
    const profit = versions.profit!;
    expect(versions.equal).toBe(false);
    expect(profit.differenceE4).not.toBe(0);
    expect(profit.equityBE4 - profit.equityAE4).toBe(profit.differenceE4);
    expect(sum(profit.parts.map(({ amountE4 }) => amountE4))).toBe(profit.differenceE4);
    expect(profit.parts.map(({ kind }) => kind)).not.toContain('unattributed');
  });

  test('are shown the first tick on which they acted differently, with its features and both reasons', async () => {
    const { firstAction, first } = versions;
    expect(firstAction!.kind).toBe('action');
    expect(firstAction!.tick).toMatchObject({
      symbol: firstAction!.symbol,
      source: firstAction!.source,
      kind: 'trade',
    });
    expect(firstAction!.tick!.vwapDeviation).not.toBeNull();
    expect(firstAction!.a.decision!.action).not.toBe(firstAction!.b.decision!.action);
    expect(firstAction!.a.reason).toMatch(/[.]$/);
    expect(first!.eventTimeMs).toBeLessThanOrEqual(firstAction!.eventTimeMs);
  });

  test('have their differing decisions counted by kind, each once', () => {
    expect(sum(versions.kinds.map(({ count }) => count))).toBe(topicOf(versions, 'decisions').differing);
  });
});

test('a parameter that changes nothing but its name is kept apart from differences in what was decided', async () => {
  const renamed = await diff('one', 'renamed');
  expect(renamed.equal).toBe(false);
  expect(renamed.kinds.at(-1)!.kind).toBe('label');
  expect(renamed.kinds.at(-1)!.count).toBeGreaterThan(1_000);
  expect(renamed.b.parametersVersion).toBe('warmUpMinutes=1,maxHoldMinutes=31');
});

describe('what is compared', () => {
  test('ends, partition by partition, where one of the two has not handled its input yet', async () => {
    const group = analyticsGroup('late');
    await runModelInto(client, findModel('reversion-1').create(quick), 'late');
    const handled = new Map([0, 1, 2].map((partition) => [partition, BigInt(1_000 * partition)]));
    await client.admin.commitOffsets(group, topics.enriched, handled);
    const late = await diff('one', 'late');
    expect(late.range.slice(0, 3).map(({ toInput }) => toInput)).toEqual(['0', '1000', '2000']);
    expect(late.equal).toBe(true);
    expect(late.profit!.asOf.map(({ partition }) => partition)).toEqual([1, 2, 3]);
  });

  test('is nothing in a partition for which a side has committed no offset', async () => {
    await commitOnly('begun', [[0, 100n]]);
    await commitOnly('begun-too', [[0, 50n]]);
    const { range } = await diff('begun', 'begun-too');
    expect(range.map(({ toInput }) => toInput)).toEqual(['50', '0', '0', '0']);
  });

  test('is refused where it is nothing at all: two that share no tick are not equal', async () => {
    const refused = (message: string, awaited: string) => ({
      code: 'not-comparable',
      message: `${message}: there is nothing to compare.`,
      mend: `Wait until ${awaited}, or replay both versions from one snapshot and compare the replays.`,
    });
    await commitOnly('idle', []);
    await commitOnly('at-start', [[0, 0n]]);
    await commitOnly('first-only', [[0, 100n]]);
    await commitOnly('last-only', [[3, 100n]]);
    await expect(diff('one', 'idle')).rejects.toMatchObject(refused('No tick has been handled yet by idle', 'it has'));
    await expect(diff('idle', 'one')).rejects.toMatchObject(refused('No tick has been handled yet by idle', 'it has'));
    await expect(diff('idle', 'idle')).rejects.toMatchObject(refused('No tick has been handled yet by idle', 'it has'));
    await expect(diff('idle', 'at-start')).rejects.toMatchObject(
      refused('No tick has been handled yet by idle or at-start', 'both have'),
    );
    await expect(diff('first-only', 'last-only')).rejects.toMatchObject(
      refused('No tick of the same partition has been handled yet by both first-only and last-only', 'both have'),
    );
  });

  async function commitOnly(name: string, handled: [number, bigint][]): Promise<void> {
    await client.admin.ensureTopics(
      Object.values(volumeTopics(name)).map((topic) => ({ name: topic, partitionCount: 4 })),
    );
    if (handled.length > 0) await client.admin.commitOffsets(analyticsGroup(name), topics.enriched, new Map(handled));
  }
});

test('what wrote a side is taken from the last record of its runs', async () => {
  const { runs } = volumeTopics('one-again');
  const run: Run = {
    app: 'replay',
    code: 'reversion-1',
    parameters: JSON.stringify(findModel('reversion-1').create(quick).parameters),
    input: 'market@gone',
    inputId: '00',
    history: null,
    tickfoldVersion: '0',
    nodeVersion: '20',
    startedAtMs: 0,
  };
  await client.admin.ensureTopics([{ name: runs, partitionCount: 1 }]);
  const producer = client.producer();
  const value = runSchema.encode(run);
  await producer.send({ topic: runs, key: null, value, timestampMs: 0, headers: { [headers.schema]: runSchema.id } });
  await producer.flush();
  await producer.close();
  const { a, b } = await diff('one', 'one-again');
  expect(a).toEqual({ ref: 'one', volume: 'one', model: null, parametersVersion: 'warmUpMinutes=1', input: null });
  expect(b).toMatchObject({ model: 'reversion-1', parametersVersion: 'warmUpMinutes=1', input: 'market@gone' });
});
