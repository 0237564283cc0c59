import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LogEngine, openLogEngine } from '@tickfold/log-engine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { GroupCoordinator } from '../src/groups/coordinator.ts';
import { OffsetExpiry } from '../src/groups/offset-expiry.ts';
import { DEFAULT_GROUP_SETTINGS } from '../src/index.ts';

const settings = { ...DEFAULT_GROUP_SETTINGS, initialRebalanceDelayMs: 0, offsetsCheckIntervalMs: 0 };
const RETENTION_MS = settings.offsetsRetentionMs;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

let dataDir: string;
let engine: LogEngine;
let coordinator: GroupCoordinator;
let expiry: OffsetExpiry;
let nowMs: number;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tickfold-expiry-'));
  engine = await openLogEngine({ dataDir });
  coordinator = new GroupCoordinator(settings);
  nowMs = 1_000_000;
  expiry = new OffsetExpiry({ engine, coordinator, settings, log: silent, clock: () => nowMs });
});

afterEach(async () => {
  coordinator.close();
  await expiry.close();
  await engine.close();
  await rm(dataDir, { recursive: true });
});

async function commit(group: string): Promise<void> {
  expiry.touch(group);
  await engine.commitOffsets(group, [{ topic: 't', partition: 0, offset: 1n, leaderEpoch: 0, metadata: '' }]);
}

async function after(ms: number): Promise<string[]> {
  nowMs += ms;
  await expiry.run();
  return engine.groupsWithOffsets();
}

test('a group that commits nothing for the time of retention loses its offsets, others keep theirs', async () => {
  await commit('old');
  expect(await after(RETENTION_MS - 1)).toEqual(['old']);
  await commit('young');
  expect(await after(1)).toEqual(['young']);
  expect(await after(RETENTION_MS)).toEqual([]);
});

test('offsets from before the start of the broker have the whole time again', async () => {
  await engine.commitOffsets('g', [{ topic: 't', partition: 0, offset: 1n, leaderEpoch: 0, metadata: '' }]);
  expect(await after(RETENTION_MS - 1)).toEqual(['g']);
  expect(await after(1)).toEqual([]);
});

test('a group with members keeps its offsets; its time begins when they are gone', async () => {
  await commit('g');
  const { memberId } = await coordinator.join('g', {
    memberId: '',
    groupInstanceId: null,
    clientId: 'c',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: 1_800_000,
    rebalanceTimeoutMs: 1_800_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('t') }],
    idIsRequired: false,
    canSkipAssignment: false,
  });
  expect(await after(RETENTION_MS * 2)).toEqual(['g']);
  coordinator.leave('g', memberId, null);
  expect(await after(RETENTION_MS - 1)).toEqual(['g']);
  expect(await after(1)).toEqual([]);
});

test('offsets that a transaction is about to replace stay until it is over', async () => {
  await engine.createTopic('t', { partitionCount: 1 });
  await commit('g');
  const producer = { ...(await engine.openProducer({ transactionalId: 'x' })), transactionalId: 'x' };
  await engine.beginTransaction(producer);
  const next = [{ topic: 't', partition: 0, offset: 2n, leaderEpoch: 0, metadata: '' }];
  await engine.commitOffsetsInTransaction(producer, 'g', next);
  expect(await after(RETENTION_MS)).toEqual(['g']);
  await engine.endTransaction(producer, 'abort');
  expect(await after(0)).toEqual([]);
});
