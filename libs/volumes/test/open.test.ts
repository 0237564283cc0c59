import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { openLogEngine } from '@tickfold/log-engine';
import { startEmbeddedBroker } from '@tickfold/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { type OpenStreams, openStreams, openVolume, VolumeError } from '../src/index.ts';
import { contentOf, fillInput, INPUT } from './counter.ts';
import { removeFolders, temporaryFolder } from './temporary-folder.ts';

/** A port on which nothing listens: that of a broker which has ended. */
async function deadAddress(): Promise<string> {
  const broker = await startEmbeddedBroker();
  await broker.stop();
  return broker.address;
}

async function withStreams<T>(
  options: { dataDir: string; brokers: string[] },
  work: (streams: OpenStreams) => Promise<T>,
): Promise<T> {
  const streams = await openStreams(options);
  try {
    return await work(streams);
  } finally {
    await streams.close();
  }
}

afterEach(removeFolders);

describe('openStreams', () => {
  test('goes through the broker while that owns the folder, and to the folder itself before and after', async () => {
    const dataDir = await temporaryFolder();
    const through = async (brokers: string[]) =>
      withStreams({ dataDir, brokers }, async (streams) => {
        await fillInput(streams.client, 0, 1);
        return [streams.through, (await streams.client.volumes.list()).map(({ name }) => name)];
      });
    expect(await through([await deadAddress()])).toEqual(['folder', ['market']]);
    const broker = await startEmbeddedBroker({ dataDir });
    expect(await through([broker.address])).toEqual(['broker', ['market']]);
    await broker.stop();
    expect(await through([broker.address])).toEqual(['folder', ['market']]);
  });

  test('goes through the broker where there is no folder here', async () => {
    const broker = await startEmbeddedBroker();
    const dataDir = join(broker.dataDir, 'not-there');
    expect(await withStreams({ dataDir, brokers: [broker.address] }, async ({ through }) => through)).toBe('broker');
    await broker.stop();
  });

  test('tells what is missing where there is neither folder nor broker', async () => {
    const brokers = [await deadAddress()];
    const refused = openStreams({ dataDir: '/nowhere/data', brokers });
    await expect(refused).rejects.toBeInstanceOf(VolumeError);
    await expect(refused).rejects.toMatchObject({
      message: `There is no data folder /nowhere/data, and no broker answers at ${brokers[0]}.`,
      mend: expect.stringContaining('DATA_DIR'),
    });
  });

  test('waits for a folder whose owner is no broker and just ending', async () => {
    const dataDir = await temporaryFolder();
    const owner = await openLogEngine({ dataDir });
    const closed: Promise<void>[] = [];
    // Whoever looks for a broker found the folder owned.
    const server = createServer((socket) => {
      closed.push(owner.close());
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const through = await withStreams({ dataDir, brokers: [`127.0.0.1:${port}`] }, async (streams) => streams.through);
    expect(through).toBe('folder');
    expect(closed).not.toEqual([]);
    await new Promise((resolve) => server.close(resolve));
  });

  test('gives up when it is told to, and leaves the folder alone', async () => {
    const dataDir = await temporaryFolder();
    const owner = await openLogEngine({ dataDir });
    const stop = new AbortController();
    const opening = openStreams({ dataDir, brokers: [await deadAddress()], signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    await owner.close();
  });
});

describe('openVolume', () => {
  test('opens a volume and a snapshot of it; the one goes on, the other does not', async () => {
    const broker = await startEmbeddedBroker();
    const { dataDir } = broker;
    await withStreams({ dataDir, brokers: [broker.address] }, async (streams) => {
      await fillInput(streams.client, 0, 5);
      const manifest = await streams.client.volumes.createSnapshot('market@open', { why: 'test' });
      await fillInput(streams.client, 5, 7);
      const live = await openVolume('market', { dataDir, streams });
      const frozen = await openVolume('market@open', { dataDir, streams });
      expect([live.ref, live.volume, live.manifest]).toEqual(['market', 'market', undefined]);
      expect([frozen.ref, frozen.volume, frozen.manifest]).toEqual(['market@open', 'market', manifest]);
      expect(await contentOf(live.client, INPUT, 0)).toHaveLength(7);
      expect(await contentOf(frozen.client, INPUT, 0)).toHaveLength(5);
      await live.close();
      await frozen.close();
      expect(await streams.client.admin.topics()).toHaveLength(1);
    });
    await broker.stop();
  });

  test('lists what is there where a name is unknown', async () => {
    const dataDir = await temporaryFolder();
    await withStreams({ dataDir, brokers: [await deadAddress()] }, async (streams) => {
      await expect(openVolume('market', { dataDir, streams })).rejects.toMatchObject({
        message: "There is no volume 'market'. There is no volume yet.",
      });
      await fillInput(streams.client, 0, 1);
      await streams.client.admin.ensureTopics([{ name: 'live.decisions', partitionCount: 1 }]);
      await expect(openVolume('markt', { dataDir, streams })).rejects.toMatchObject({
        message: "There is no volume 'markt'. There are: live, market.",
        mend: 'Name one of these.',
      });
      await streams.client.volumes.createSnapshot('market@open', {});
      await expect(openVolume('market@close', { dataDir, streams })).rejects.toMatchObject({
        message: "There is no snapshot 'market@close'. There are: market@open.",
      });
      await expect(openVolume('market@../x', { dataDir, streams })).rejects.toMatchObject({ code: 'illegal-name' });
    });
  });
});
