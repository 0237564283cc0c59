import { createServer, type Server } from 'node:net';
import { apis, decodeRequestHeader, encodeResponse, FrameSplitter } from '@tickfold/kafka-protocol';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../src/index.ts';

describe('a broker that is too old', () => {
  let server: Server;
  let address: string;

  /** Knows Produce up to version 2, as Kafka 0.10 did. */
  beforeAll(async () => {
    server = createServer((socket) => {
      const splitter = new FrameSplitter(1024 * 1024);
      socket.on('data', (chunk) => {
        for (const frame of splitter.push(chunk)) {
          const { apiKey, apiVersion, correlationId } = decodeRequestHeader(frame).header;
          const reply =
            apiKey === apis.apiVersions.key
              ? encodeResponse(apis.apiVersions, apiVersion, correlationId, oldVersions)
              : encodeResponse(apis.metadata, apiVersion, correlationId, metadataOf(address));
          for (const part of reply) socket.write(part);
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test('is told by what it lacks, with the version to run', async () => {
    await expect(connect({ engine: 'kafka', brokers: [address], clientId: 'test' })).rejects.toMatchObject({
      code: 'broker-too-old',
      message: 'the broker serves Produce up to version 2, not 3',
      mend: expect.stringContaining('3.6'),
    });
  });
});

describe('a broker that wants no credentials', () => {
  let broker: EmbeddedBroker;

  beforeAll(async () => {
    broker = await startEmbeddedBroker();
  });
  afterAll(() => broker.stop());

  test('refuses a client that brings some, and the client says so at once', async () => {
    const sasl = { mechanism: 'plain', username: 'me', password: 'secret' } as const;
    const connecting = connect({ engine: 'kafka', brokers: [broker.address], clientId: 'test', kafka: { sasl } });
    await expect(connecting).rejects.toMatchObject({
      code: 'unauthenticated',
      mend: expect.stringContaining('KAFKA_SASL'),
    });
  });

  test('and speaks no TLS is unreachable with it, and the mend names the setting', async () => {
    const settings = { brokers: [broker.address], clientId: 'test', connectTimeoutMs: 1000 };
    await expect(connect({ ...settings, engine: 'kafka', kafka: { tls: {} } })).rejects.toMatchObject({
      code: 'unreachable',
      mend: expect.stringContaining('KAFKA_TLS'),
    });
  });
});

const oldVersions = {
  errorCode: 0,
  apiKeys: [
    [apis.produce.key, 0, 2],
    [apis.fetch.key, 0, 2],
    [apis.metadata.key, 0, 1],
    [apis.apiVersions.key, 0, 2],
  ].map(([apiKey, minVersion, maxVersion]) => ({
    apiKey: apiKey!,
    minVersion: minVersion!,
    maxVersion: maxVersion!,
  })),
  throttleTimeMs: 0,
  supportedFeatures: [],
  finalizedFeaturesEpoch: -1n,
  finalizedFeatures: [],
  zkMigrationReady: false,
};

function metadataOf(address: string) {
  const [host, port] = address.split(':');
  return {
    throttleTimeMs: 0,
    brokers: [{ nodeId: 1, host: host!, port: Number(port), rack: null }],
    clusterId: null,
    controllerId: 1,
    clusterAuthorizedOperations: 0,
    topics: [],
  };
}
