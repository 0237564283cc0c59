import { expect, test } from 'vitest';
import { runKills } from './kills.ts';

test('whoever is killed, processor or broker, each input record has one output, in order and rightly counted', async () => {
  const found = await runKills(20_131_008, { kills: 6, records: 30_000, onProgress: () => {} });
  expect(found.records).toBe(30_000);
  expect(found.brokerKills).toBeGreaterThan(0);
  expect(found.instanceKills).toBeGreaterThan(0);
}, 120_000);
