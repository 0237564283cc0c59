import { deleteSnapshot } from '@tickfold/log-engine';
import { findModel } from '@tickfold/models';
import { openVolume } from '@tickfold/volumes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMarketSnapshot, type DiffOptions, diffVolumes, replayModel, type VolumeDiff } from '../src/index.ts';
import { type Market, openMarket } from './market.ts';
import { enrichedTicks, produceTicks } from './session.ts';

let market: Market;

beforeAll(async () => {
  market = await openMarket();
  const { client, dataDir } = market;
  await produceTicks(client, enrichedTicks(), { to: 10_000 });
  await createMarketSnapshot(client, 'market@open');
  for (const version of ['reversion-1', 'reversion-2']) {
    const model = findModel(version).create({ warmUpMinutes: 0 });
    const adopt = (stagingId: string) => client.volumes.adopt(stagingId);
    await replayModel({ dataDir, from: 'market@open', model, into: `by-${version}`, adopt });
    await client.volumes.createSnapshot(`by-${version}@end`, {});
    await client.volumes.delete(`by-${version}`);
  }
});
afterAll(() => market.close());

async function diffFrozen(a: string, b: string, options: Partial<DiffOptions> = {}): Promise<VolumeDiff> {
  const { client, dataDir } = market;
  const streams = { client, through: 'folder' as const, close: async () => {} };
  const views = [await openVolume(a, { dataDir, streams }), await openVolume(b, { dataDir, streams })] as const;
  try {
    return await diffVolumes(...views, { dataDir, ...options });
  } finally {
    for (const view of views) await view.close();
  }
}

test('snapshots of replays are compared as the replays are, and the ticks come from the snapshot that was replayed', async () => {
  expect((await diffFrozen('by-reversion-1@end', 'by-reversion-1@end')).equal).toBe(true);
  const { a, firstAction, profit } = await diffFrozen('by-reversion-1@end', 'by-reversion-2@end');
  expect(a).toEqual({
    ref: 'by-reversion-1@end',
    volume: 'by-reversion-1',
    model: 'reversion-1',
    parametersVersion: 'warmUpMinutes=0',
    input: 'market@open',
  });
  expect(firstAction!.tick!.source).toBe(firstAction!.source);
  expect(profit!.differenceE4).not.toBe(0);
});

test('a tick that is no longer anywhere is null, also when another snapshot has taken the name of its own', async () => {
  await deleteSnapshot(market.dataDir, 'market@open');
  const gone = await diffFrozen('by-reversion-1@end', 'by-reversion-2@end');
  expect(gone.firstAction!.tick).toBeNull();
  await market.client.volumes.createSnapshot('market@open', {});
  const another = await diffFrozen('by-reversion-1@end', 'by-reversion-2@end');
  expect(another.firstAction).toEqual(gone.firstAction);
});

test('a tick that no snapshot holds any more is looked for in the live market, where one is given', async () => {
  const { firstAction } = await diffFrozen('by-reversion-1@end', 'by-reversion-2@end', { market: market.client });
  expect(firstAction!.tick).toMatchObject({ source: firstAction!.source, symbol: firstAction!.symbol });
});

test('two snapshots of a volume that no model wrote are compared record by record', async () => {
  await market.client.volumes.createSnapshot('market@before', {});
  expect(await diffFrozen('market@before', 'market')).toMatchObject({ equal: true, profit: null });
  await produceTicks(market.client, enrichedTicks(), { from: 10_000, to: 10_100 });
  const { equal, topics } = await diffFrozen('market@before', 'market');
  expect(equal).toBe(false);
  expect(topics).toEqual([{ topic: 'enriched', recordsA: 10_000, recordsB: 10_100, differing: 100 }]);
});
