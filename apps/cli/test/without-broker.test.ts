import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelVolume } from '@tickfold/market';
import { findModel } from '@tickfold/models';
import { connect } from '@tickfold/stream';
import { startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { runModelInto } from '../../../libs/evaluation/test/model-volumes.ts';
import { enrichedTicks, produceTicks } from '../../../libs/evaluation/test/session.ts';
import { contents, endAll, tickfold, tickfoldJson, type Where } from './tickfold.ts';

/** Some start a process ten times over, on machines with other work to do. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let dataDir: string;
let stopped: Where;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'tickfold-cli-'));
  const broker = await startEmbeddedBroker({ dataDir });
  const client = await connect({ brokers: [broker.address], clientId: 'test' });
  await produceTicks(client, enrichedTicks());
  await runModelInto(client, findModel('reversion-1').create(), modelVolume('reversion-1'));
  await client.close();
  await broker.stop();
  stopped = { dataDir };
});

afterEach(endAll);

afterAll(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

test('a snapshot is verified, exported, imported under another name, and a deleted volume restored from it', async () => {
  const archive = join(dataDir, 'open.tar');
  await tickfoldJson(stopped, ['snapshot', 'create', 'model-reversion-1@a']);
  expect(await tickfoldJson(stopped, ['snapshot', 'verify', 'model-reversion-1@a'])).toMatchObject({ damages: [] });
  await tickfoldJson(stopped, ['snapshot', 'export', 'model-reversion-1@a', archive]);
  await tickfoldJson(stopped, ['snapshot', 'delete', 'model-reversion-1@a']);
  await tickfoldJson(stopped, ['snapshot', 'import', archive, '--as', 'model-reversion-1@b']);
  const refused = await tickfold(stopped, 'snapshot', 'restore', 'model-reversion-1@b');
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('model-reversion-1')]);
  await tickfoldJson(stopped, ['volume', 'delete', 'model-reversion-1']);
  expect(await tickfoldJson(stopped, ['snapshot', 'restore', 'model-reversion-1@b'])).toEqual({
    restored: 'model-reversion-1',
    from: 'model-reversion-1@b',
  });
  expect(await tickfoldJson(stopped, ['volume', 'diff', 'model-reversion-1', 'model-reversion-1@b'])).toMatchObject({
    equal: true,
  });
  await tickfoldJson(stopped, ['snapshot', 'delete', 'model-reversion-1@b']);
  rmSync(archive);
});

test('freeze, replay, compare and delete work on the folder itself', async () => {
  await tickfoldJson(stopped, ['snapshot', 'create', 'market@open']);
  await tickfoldJson(stopped, ['model', 'replay', 'reversion-1', '--from', 'market@open', '--into', 'try-1']);
  const names = async () =>
    (await tickfoldJson<{ name: string }[]>(stopped, ['volume', 'list'])).map(({ name }) => name);
  expect(await names()).toEqual(['market', 'model-reversion-1', 'try-1']);
  expect(await tickfoldJson(stopped, ['volume', 'diff', 'model-reversion-1', 'try-1'])).toMatchObject({ equal: true });
  await tickfoldJson(stopped, ['volume', 'delete', 'try-1']);
  await tickfoldJson(stopped, ['volume', 'delete', 'model-reversion-1']);
  expect(await names()).toEqual(['market']);
  await tickfoldJson(stopped, ['snapshot', 'delete', 'market@open']);
  expect(contents(dataDir)).toEqual(['market']);
});

test.each(['model promote reversion-2', 'model rollback'])(
  '%s needs the running system, and says so',
  async (command) => {
    const { status, stderr } = await tickfold(stopped, ...command.split(' '));
    expect(status).toBe(1);
    expect(stderr).toContain(`Tickfold does not run on ${dataDir}`);
    expect(stderr).toMatch(/Mend: .*npm start/);
  },
);

test.each([
  ['model list', 0],
  ['snapshot list', 0],
  ['volume list', 1],
  ['model audit', 1],
  ['snapshot create market@open', 1],
])('%s makes no data folder where there is none, and has status %i', async (command, status) => {
  const nowhere = join(dataDir, 'nowhere');
  const result = await tickfold({ dataDir: nowhere }, ...command.split(' '));
  expect(result.status).toBe(status);
  expect(result.stderr).toMatch(status === 0 ? /^$/ : /^tickfold: .+\nMend: .+\n$/);
  expect(existsSync(nowhere)).toBe(false);
});
