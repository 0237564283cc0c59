import { createServer, type Server } from 'node:net';
import {
  apis,
  decodeRequestHeader,
  encodeResponse,
  errorCodes,
  FrameSplitter,
  type ResponseOf,
} from '@tickfold/kafka-protocol';
import { stageVolume } from '@tickfold/log-engine';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, type StreamClient } from '../src/index.ts';

let broker: EmbeddedBroker;
let client: StreamClient;

beforeAll(async () => {
  broker = await startEmbeddedBroker();
});
afterAll(() => broker.stop());
beforeEach(async () => {
  client = await connect({ brokers: [broker.address], clientId: 'test' });
  await client.admin.ensureTopics([{ name: 'market.ticks', partitionCount: 2 }]);
});
afterEach(() => client.close());

describe('a client asks the broker', () => {
  test('for a snapshot, and learns what it holds', async () => {
    const pins = { source: { identity: 'sim-1' }, long: 'x'.repeat(100_000) };
    const snapshot = await client.volumes.createSnapshot('market@open', pins);
    expect(snapshot).toMatchObject({ name: 'market@open', volume: 'market', pins });
    expect(snapshot.topics).toEqual([
      {
        name: 'market.ticks',
        partitions: [
          { start: '0', end: '0' },
          { start: '0', end: '0' },
        ],
      },
    ]);
    await expect(client.volumes.createSnapshot('market@open', {})).rejects.toMatchObject({
      name: 'StreamError',
      code: 'volume-refused',
      reason: 'snapshot-exists',
      message: expect.stringContaining('market@open'),
      mend: 'Choose another name, or delete that snapshot first.',
    });
  });

  test('for a snapshot of several volumes at one cut', async () => {
    await client.admin.ensureTopics([{ name: 'live.decisions', partitionCount: 1 }]);
    const snapshot = await client.volumes.createSnapshot('market@both', {}, ['live']);
    expect(snapshot.topics.map(({ name }) => name)).toEqual(['market.ticks', 'live.decisions']);
    await expect(client.volumes.createSnapshot('market@none', {}, ['nowhere'])).rejects.toMatchObject({
      code: 'volume-refused',
      reason: 'unknown-volume',
    });
    await client.volumes.delete('live');
  });

  test('to take in a staged volume, and to delete it again', async () => {
    const staged = await stageVolume(broker.dataDir, 'replayed');
    await staged.engine.createTopic('replayed.runs', { partitionCount: 1 });
    await staged.finish();
    await client.volumes.adopt(staged.id);
    expect((await client.admin.topics()).map(({ name }) => name)).toContain('replayed.runs');
    expect(await client.volumes.list()).toContainEqual({
      name: 'replayed',
      sizeBytes: expect.any(Number),
      topics: 1,
      stopped: null,
    });

    await client.volumes.delete('replayed');
    expect((await client.volumes.list()).map(({ name }) => name)).toEqual(['market']);
    const gone = { code: 'volume-refused', reason: 'unknown-volume' };
    await expect(client.volumes.delete('replayed')).rejects.toMatchObject(gone);
    await expect(client.volumes.adopt(staged.id)).rejects.toMatchObject({ reason: 'unknown-staging' });
  });
});

describe('a broker of another make', () => {
  /** Knows Metadata, and of ApiVersions what `answer` says; undefined: it ends the connection. */
  async function startForeign(answer: () => ResponseOf<typeof apis.apiVersions> | undefined): Promise<Server> {
    const server = createServer((socket) => {
      const splitter = new FrameSplitter(1 << 20);
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        for (const frame of splitter.push(chunk)) {
          const { apiKey, apiVersion, correlationId } = decodeRequestHeader(frame).header;
          const versions = answer();
          if (apiKey === apis.metadata.key) {
            const metadata = { throttleTimeMs: 0, brokers: [], clusterId: null, controllerId: 0, topics: [] };
            const whole = { ...metadata, clusterAuthorizedOperations: 0 };
            for (const bytes of encodeResponse(apis.metadata, apiVersion, correlationId, whole)) socket.write(bytes);
          } else if (apiKey === apis.apiVersions.key && versions !== undefined) {
            for (const bytes of encodeResponse(apis.apiVersions, apiVersion, correlationId, versions))
              socket.write(bytes);
          } else {
            socket.destroy();
          }
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  async function withForeign(
    answer: () => ResponseOf<typeof apis.apiVersions> | undefined,
    work: (client: StreamClient) => Promise<void>,
  ): Promise<void> {
    const server = await startForeign(answer);
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    const foreign = await connect({ brokers: [`127.0.0.1:${address.port}`], clientId: 'test' });
    try {
      await work(foreign);
    } finally {
      await foreign.close();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  test('is not asked for what it does not list: the error says that it keeps no volumes', async () => {
    const apiKeys = [{ apiKey: apis.metadata.key, minVersion: 0, maxVersion: 8 }];
    const features = { supportedFeatures: [], finalizedFeaturesEpoch: -1n, finalizedFeatures: [] };
    const versions = { errorCode: errorCodes.NONE, apiKeys, throttleTimeMs: 0, ...features };
    await withForeign(
      () => versions,
      async (foreign) => {
        await expect(foreign.volumes.list()).rejects.toMatchObject({
          code: 'no-volumes',
          message: expect.stringMatching(/^the broker at 127\.0\.0\.1:\d+ keeps no volumes$/),
        });
      },
    );
  });

  test('that goes away meanwhile is an error that passes by itself', async () => {
    await withForeign(
      () => undefined,
      async (foreign) => {
        await expect(foreign.volumes.delete('market')).rejects.toMatchObject({ code: 'disconnected', retry: true });
      },
    );
  });
});

test('a client that is closed ends its request', async () => {
  let asked = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const { deleteVolume } = broker.engine;
  broker.engine.deleteVolume = () => {
    asked();
    return new Promise(() => {});
  };
  try {
    const request = client.volumes.delete('market');
    const outcome = expect(request).rejects.toMatchObject({ code: 'closed' });
    await isAsked;
    // Others are served meanwhile.
    expect(await client.admin.topics()).not.toEqual([]);
    await client.close();
    await outcome;
  } finally {
    broker.engine.deleteVolume = deleteVolume;
  }
});
