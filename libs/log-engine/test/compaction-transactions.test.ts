/** Compaction of logs that transactions were written to, and crashes in the middle of a round. */
import { FaultyDisk } from '@tickfold/testkit/faulty-disk';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EngineOptions, LogEngine, TransactionalProducer } from '../src/api.ts';
import { openLogEngine } from '../src/engine.ts';
import { batchOf } from './batches.ts';
import { logOf, openEngine } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { committedValues } from './transactional.ts';

const KEYS = ['a', 'b', 'c', 'd'];

async function compactedEngine(options: EngineOptions, open = openEngine): Promise<LogEngine> {
  const engine = await open({ segmentBytes: 1500, maintenanceIntervalMs: 0, ...options });
  await engine.createTopic('v.t', {
    partitionCount: 1,
    settings: { 'cleanup.policy': 'compact', 'delete.retention.ms': '0' },
  });
  return engine;
}

/** A value says its key: `a=7`. */
const recordOf = (key: string, number: number) => ({ key, value: `${key}=${number}`, timestampMs: number });

/** Of each key the last value that readers of committed records see. */
async function committedTable(engine: LogEngine): Promise<Map<string, string>> {
  const values = await committedValues(logOf(engine, 'v.t'), 100_000);
  return new Map(values.map((value) => [value.split('=')[0]!, value]));
}

interface Step {
  producer: number;
  what: 'send' | 'commit' | 'abort' | 'plain' | 'maintain' | 'reopen';
  key: string;
}

const step = fc.record<Step>({
  producer: fc.nat(1),
  what: fc.oneof(
    { weight: 8, arbitrary: fc.constant('send' as const) },
    { weight: 4, arbitrary: fc.constant('plain' as const) },
    { weight: 4, arbitrary: fc.constantFrom('commit' as const, 'abort' as const) },
    { weight: 1, arbitrary: fc.constantFrom('maintain' as const, 'reopen' as const) },
  ),
  key: fc.constantFrom(...KEYS),
});

test('compaction leaves the last committed value of each key, whatever was aborted or is open behind it', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 150 }), async (steps) => {
      const options = { dataDir: temporaryFolder(), segmentBytes: 1500, maintenanceIntervalMs: 0 };
      let engine = await compactedEngine(options);
      const open = async (name: string): Promise<Sender> => {
        const identity = { transactionalId: name, ...(await engine.openProducer({ transactionalId: name })) };
        return { identity, sequence: 0, isOngoing: false };
      };
      const senders = [await open('v.one'), await open('v.two')];
      for (const [number, { producer, what, key }] of steps.entries()) {
        const sender = senders[producer]!;
        const log = logOf(engine, 'v.t');
        if (what === 'maintain') await engine.maintain();
        else if (what === 'plain') await log.append(batchOf([recordOf(key, number)]), 'written');
        else if (what === 'send') await send(engine, sender, key, number);
        else if (what !== 'reopen') {
          if (sender.isOngoing) await engine.endTransaction(sender.identity, what);
          sender.isOngoing = false;
        } else {
          await engine.close();
          engine = await openEngine(options);
        }
      }
      const before = await committedTable(engine);
      const { lastStableOffset } = logOf(engine, 'v.t');
      await engine.createSnapshot('v@sealed', {});
      await engine.maintain();
      expect(await committedTable(engine)).toEqual(before);
      expect(logOf(engine, 'v.t').lastStableOffset).toBe(lastStableOffset);
      await engine.close();
      engine = await openEngine(options);
      expect(await committedTable(engine)).toEqual(before);
      await engine.close();
    }),
    { numRuns: 12 },
  );
});

interface Sender {
  identity: TransactionalProducer;
  sequence: number;
  isOngoing: boolean;
}

async function send(engine: LogEngine, sender: Sender, key: string, number: number): Promise<void> {
  const { identity, sequence } = sender;
  await engine.beginTransaction(identity);
  const { producerId, epoch: producerEpoch } = identity;
  const produced = { producerId, producerEpoch, baseSequence: sequence, isTransactional: true };
  await logOf(engine, 'v.t').append(batchOf([recordOf(key, number)], produced), 'synced');
  sender.sequence++;
  sender.isOngoing = true;
}

test.each(['kill', 'power loss'] as const)(
  'after a %s at any call of a round of compaction every key has its last value, once',
  async (kind) => {
    let crashes = 0;
    for (let k = 1; ; k += 3) {
      const disk = new FaultyDisk({ seed: k });
      const options: EngineOptions = { dataDir: '/d', disk, segmentBytes: 1500, maintenanceIntervalMs: 0 };
      // Not one that is closed after the test: closing it fails with its disk.
      const engine = await compactedEngine(options, (each) => openLogEngine(each) as ReturnType<typeof openEngine>);
      for (let i = 0; i < 60; i++) {
        await logOf(engine, 'v.t').append(batchOf([recordOf(KEYS[i % 4]!, i)]), i % 10 === 0 ? 'synced' : 'written');
      }
      await engine.createSnapshot('v@sealed', {});
      const before = await committedTable(engine);
      disk.crashAfter(k);
      await engine.maintain();
      const isOver = !disk.isGone;
      await engine.close().catch(() => undefined);
      const found = kind === 'kill' ? disk.afterKill() : disk.afterPowerLoss();
      const reopened = await openEngine({ ...options, disk: found });
      expect(await committedTable(reopened)).toEqual(before);
      await reopened.maintain();
      expect(await committedTable(reopened)).toEqual(before);
      const values = await committedValues(logOf(reopened, 'v.t'), 100_000);
      expect(new Set(values).size).toBe(values.length);
      await reopened.close();
      if (isOver) break;
      crashes++;
    }
    expect(crashes).toBeGreaterThan(10);
  },
);
