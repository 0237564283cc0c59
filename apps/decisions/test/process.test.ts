import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { topics } from '@tickfold/market';
import { readPromotions, requestPromotion } from '@tickfold/promotion';
import { connect, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decide, decisionsByAudit, liveDecisions } from './live-volume.ts';

const BUILT = join(import.meta.dirname, '../dist/main.js');

let broker: EmbeddedBroker;
let client: StreamClient;
const processes: ChildProcess[] = [];

beforeEach(async () => {
  broker = await startEmbeddedBroker();
  client = await connect({ brokers: [broker.address], clientId: 'test' });
});
afterEach(async () => {
  for (const child of processes.splice(0)) await kill(child);
  await client.close();
  await broker.stop();
});

function start(env: Record<string, string> = { MODELS: 'a,b' }): ChildProcess {
  const child = spawn(process.execPath, [BUILT], {
    env: { PATH: process.env.PATH!, BROKERS: broker.address, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  processes.push(child);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** For a process to start, and to work through what there is, on a busy machine. */
const patiently = { timeout: 25_000, interval: 20 };

async function liveCount(): Promise<number> {
  if (!(await client.admin.topics()).some(({ name }) => name === topics.liveDecisions)) return 0;
  return (await liveDecisions(client)).flat().length;
}

test('killed while it copies and right after a promotion, the next process goes on where the log ends', async () => {
  const many = Array.from({ length: 20_000 }, (_, index) => index);
  for (const partition of [0, 1]) await decide(client, partition, { a: many, b: many });

  const first = start();
  await expect.poll(liveCount, patiently).toBeGreaterThan(0);
  const promoted = await requestPromotion(client, { action: 'promote', model: 'b', by: 'test', timeoutMs: 20_000 });
  await kill(first);
  const second = start();
  const rolledBack = await requestPromotion(client, { action: 'rollback', by: 'test', timeoutMs: 20_000 });
  await kill(second);
  for (const partition of [0, 1]) await decide(client, partition, { a: [20_000], b: [20_000] });
  start();
  await expect.poll(liveCount, patiently).toBe(40_002);

  expect([promoted, rolledBack].map(({ action, champion }) => `${action} ${champion}`)).toEqual([
    ...['promote b', 'rollback a'],
  ]);
  const audit = await readPromotions(client);
  expect(audit.map(({ action }) => action)).toEqual(['initial', 'promote', 'rollback']);
  const live = await liveDecisions(client);
  expect(live).toEqual(await decisionsByAudit(client, audit));
  expect(live.map((partition) => partition.length)).toEqual([20_001, 20_001, 0, 0]);
}, 90_000);

test('SIGTERM ends it with status 0, and a list of no versions with status 2 and two lines', async () => {
  const running = start();
  await expect.poll(() => readPromotions(client), patiently).toHaveLength(1);
  running.kill('SIGTERM');
  expect(await once(running, 'exit')).toEqual([0, null]);

  const refused = start({ MODELS: ',' });
  let stderr = '';
  refused.stderr!.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  expect(await once(refused, 'close')).toEqual([2, null]);
  expect(stderr).toMatch(/^decisions: MODELS=, names no version\.\nMend: .*\n$/);
});
