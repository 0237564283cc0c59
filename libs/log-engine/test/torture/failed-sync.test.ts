import { openLogEngine } from '@tickfold/log-engine';
import { FaultyDisk } from '@tickfold/testkit/faulty-disk';
import { expect, test } from 'vitest';
import { numberedBatch } from '../batches.ts';
import { readWholeLog } from './found.ts';

const SEEDS = 60;
const OPTIONS = { dataDir: '/data', maintenanceIntervalMs: 0 };

async function valuesOn(disk: FaultyDisk): Promise<string[]> {
  const engine = await openLogEngine({ ...OPTIONS, disk });
  const { records } = await readWholeLog('v.t', engine.partition('v.t', 0)!, false);
  await engine.close();
  return records.map(({ value }) => value);
}

test('what a reader saw after a sync had failed and the engine was opened again survives the next loss of power', async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const disk = new FaultyDisk({ seed });
    const engine = await openLogEngine({ ...OPTIONS, disk });
    await engine.createTopic('v.t', { partitionCount: 1 });
    const log = engine.partition('v.t', 0)!;
    await log.append(numberedBatch('before', 3), 'synced');
    disk.fail({ call: 'sync', code: 'EIO' });
    await expect(log.append(numberedBatch('failing', 40), 'synced')).rejects.toMatchObject({ code: 'volume-stopped' });
    await engine.close();
    const seen = await valuesOn(disk);
    const again = await openLogEngine({ ...OPTIONS, disk });
    await again.partition('v.t', 0)!.append(numberedBatch('after', 3), 'synced');
    await again.close();
    expect(await valuesOn(disk.afterPowerLoss())).toEqual([...seen, 'after-0', 'after-1', 'after-2']);
  }
});
