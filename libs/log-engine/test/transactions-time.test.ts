import { expect, test } from 'vitest';
import type { EngineOptions } from '../src/api.ts';
import { producedBatch } from './batches.ts';
import { logOf, openEngine } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { committedValues, TestProducer } from './transactional.ts';

async function timedEngine(options: Partial<EngineOptions> = {}, dataDir = temporaryFolder()) {
  const time = { now: 1_000_000 };
  const engine = await openEngine({ dataDir, clock: () => time.now, maintenanceIntervalMs: 0, ...options });
  if (engine.topic('v.t') === undefined) await engine.createTopic('v.t', { partitionCount: 1 });
  return { engine, time, dataDir, log: logOf(engine, 'v.t') };
}

test('a transaction whose time is over is aborted and told, and its producer is fenced', async () => {
  const { engine, time, log } = await timedEngine();
  const producer = await TestProducer.open(engine, 'v.tx', 500);
  await producer.send('v.t', 'a');
  time.now += 499;
  await engine.maintain();
  expect(log.lastStableOffset).toBe(0n);
  time.now += 1;
  await engine.maintain();
  expect(log.lastStableOffset).toBe(2n);
  expect(await committedValues(log)).toEqual([]);
  expect(engine.events.map(({ kind }) => kind)).toContain('transaction-aborted');
  for (const outcome of ['commit', 'abort'] as const) {
    await expect(producer.end(outcome)).rejects.toMatchObject({ code: 'producer-fenced' });
  }
  const late = producedBatch('late', producer.identity, 1, { isTransactional: true });
  await expect(log.append(late, 'synced')).rejects.toMatchObject({ code: 'producer-fenced' });
});

test('after a reopen the time of an open transaction runs anew, also when the clock was set back', async () => {
  const first = await timedEngine();
  const producer = await TestProducer.open(first.engine, 'v.tx', 500);
  await producer.send('v.t', 'a');
  await first.engine.close();
  const second = await timedEngine({}, first.dataDir);
  second.time.now -= 300;
  await second.engine.maintain();
  second.time.now += 799;
  await second.engine.maintain();
  expect(second.log.lastStableOffset).toBe(0n);
  second.time.now += 1;
  await second.engine.maintain();
  expect(await committedValues(second.log)).toEqual([]);
  expect(second.log.lastStableOffset).toBe(2n);
});

test('the time-out comes by itself', async () => {
  const { engine, log } = await timedEngine({ maintenanceIntervalMs: 1, clock: Date.now });
  const stable = new Promise<void>((resolve) => {
    log.onVisible(() => {
      if (log.lastStableOffset === 2n) resolve();
    });
  });
  await (await TestProducer.open(engine, 'v.tx', 1)).send('v.t', 'a');
  await stable;
});

test('a transactional id that is not used for long is forgotten, durably, but not one with an open transaction', async () => {
  const { engine, time, dataDir } = await timedEngine({ transactionalIdExpiryMs: 1000 });
  const idle = await TestProducer.open(engine, 'v.idle');
  const busy = await TestProducer.open(engine, 'v.busy');
  time.now += 999;
  await busy.send('v.t', 'a');
  await engine.maintain();
  expect(engine.transactions()).toHaveLength(2);
  time.now += 1;
  await engine.maintain();
  expect(engine.transactions().map(({ transactionalId }) => transactionalId)).toEqual(['v.busy']);
  await expect(engine.beginTransaction(idle.identity)).rejects.toMatchObject({ code: 'unknown-producer' });
  await engine.close();
  const reopened = await openEngine({ dataDir });
  expect(reopened.transactions().map(({ transactionalId }) => transactionalId)).toEqual(['v.busy']);
});

test('a partition forgets a producer that appended nothing for long, and then takes any sequence from it', async () => {
  const { engine, time, log } = await timedEngine({ producerExpiryMs: 1000 });
  const producer = await engine.openProducer();
  await log.append(producedBatch('a', producer, 0), 'synced');
  time.now += 1000;
  await engine.maintain();
  const gap = log.append(producedBatch('b', producer, 7), 'synced');
  await expect(gap).rejects.toMatchObject({ code: 'out-of-order-sequence' });
  time.now += 1;
  await engine.maintain();
  expect(await log.append(producedBatch('b', producer, 7), 'synced')).toMatchObject({ baseOffset: 1n });
});
