import { apis, encodeRequest } from '@tickfold/kafka-protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RawClient, startTestBroker, type TestBroker } from './harness.ts';

let running: TestBroker;
const clients: RawClient[] = [];

beforeEach(async () => {
  running = await startTestBroker();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await running.close();
});

async function connected(): Promise<RawClient> {
  const client = await RawClient.connect(running.port);
  clients.push(client);
  return client;
}

/** The broker still answers a new client. */
async function expectService(): Promise<void> {
  const client = await connected();
  expect((await client.call(apis.apiVersions, 0, versionsRequest)).errorCode).toBe(0);
}

/** Sends the bytes; resolves when the broker has closed the connection, to the line that it logged. */
async function refusalOf(bytes: Uint8Array): Promise<Record<string, unknown>> {
  const client = await connected();
  client.socket.write(bytes);
  await client.closed;
  const line = running.lines.findLast(({ level }) => level === 'warn');
  expect(line).toBeDefined();
  return line!;
}

const versionsRequest = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' };

function frameOf(body: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(body.length, 0);
  frame.set(body, 4);
  return frame;
}

describe('bytes that are no Kafka end their connection, not the broker:', () => {
  test.each([
    ['a negative length', Buffer.from('ffffffff', 'hex'), 'a frame of -1 bytes'],
    ['a length beyond the limit', Buffer.from('7fffffff', 'hex'), 'a frame of 2147483647 bytes'],
    ['an empty frame', frameOf(Buffer.alloc(0)), 'a field of 2 bytes where 0 are left'],
    ['an unknown API', frameOf(Buffer.from('03e7000000000001ffff', 'hex')), 'this API is not served'],
    ['a body that ends too early', frameOf(Buffer.from('0003000100000001ffff0000', 'hex')), 'a field of 4 bytes'],
    ['a body that goes on', frameOf(Buffer.from('0010000000000001ffff00', 'hex')), "1 bytes after the message's end"],
  ])('%s', async (_what, bytes, reason) => {
    expect((await refusalOf(bytes)).reason).toContain(reason);
    await expectService();
  });

  test('an HTTP request is called that', async () => {
    const line = await refusalOf(Buffer.from('POST /admin HTTP/1.1\r\nHost: 127.0.0.1:9092\r\n\r\n'));
    expect(line).toMatchObject({ reason: 'an HTTP request (POST /admin) came to the Kafka port', listener: 'host' });
    expect(line.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('a TLS handshake is called that', async () => {
    const line = await refusalOf(Buffer.from('160301020001000000', 'hex'));
    expect(line.reason).toBe('a TLS handshake came to the plain Kafka port');
  });

  test('a version that is not served is named with its API', async () => {
    const line = await refusalOf(frameOf(Buffer.from('0001006400000001ffff', 'hex')));
    const reason = `version 100 is not among 4 to ${apis.fetch.maxVersion}`;
    expect(line).toMatchObject({ api: 'Fetch', version: 100, reason });
  });

  test('a field that no message can have is named with its API, and requests before it are answered', async () => {
    const client = await connected();
    await client.call(apis.apiVersions, 0, versionsRequest);
    client.socket.write(frameOf(Buffer.from('0003000100000002ffff7fffffff', 'hex')));
    await client.closed;
    expect(running.lines.at(-1)).toMatchObject({ api: 'Metadata', version: 1, level: 'warn' });
  });

  test('random bytes, and real requests with random bytes changed', async () => {
    const request = { topics: [{ name: 'topic' }], ...everyMetadataFlag };
    const real = Buffer.concat(encodeRequest(apis.metadata, 8, { correlationId: 1, clientId: 'raw' }, request));
    const damaged = fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { minLength: 1 }).map((edits) => {
      const copy = Buffer.from(real);
      for (const [at, byte] of edits) copy[at] = byte;
      return copy;
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 300 }), damaged), async (bytes) => {
        const client = await connected();
        client.socket.end(bytes);
        await client.closed;
      }),
      { numRuns: 200 },
    );
    expect(running.lines.filter(({ level }) => level === 'error')).toEqual([]);
    await expectService();
  });
});

const everyMetadataFlag = {
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
};

describe('limits', () => {
  test('a connection that sends half a frame and stops does not hold up the others', async () => {
    const slow = await connected();
    slow.socket.write(Buffer.from('000003e80003', 'hex'));
    await expectService();
  });

  test('a connection without any byte for the idle time is ended', async () => {
    await running.close();
    running = await startTestBroker({ limits: { idleMs: 20 } });
    const client = await connected();
    await client.closed;
    expect(running.lines.at(-1)).toMatchObject({ level: 'debug', reason: 'idle for 20 ms' });
  });

  test('one connection too many is refused, and there is room again when another one closes', async () => {
    await running.close();
    running = await startTestBroker({ limits: { connections: 1 } });
    const first = await connected();
    await first.call(apis.apiVersions, 0, versionsRequest);
    const second = await connected();
    await second.closed;
    expect(running.lines.at(-1)).toMatchObject({ message: 'connection refused: too many are open', limit: 1 });
    first.close();
    await first.closed;
    await untilNoConnection();
    await expectService();
  });
});

/** The broker learns of a closed connection a moment after its client. */
async function untilNoConnection(): Promise<void> {
  while (running.broker.connectionCount > 0) await new Promise(setImmediate);
}
