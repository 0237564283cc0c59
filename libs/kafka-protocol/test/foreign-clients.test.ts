import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Api, apis, decodeRequestBody, decodeRequestHeader, encodeRequest, iterateBatches } from '../src/index.ts';

interface ForeignFrame {
  client: string;
  api: string;
  version: number;
  request: string;
}

const file = new URL('./fixtures/foreign-requests.json', import.meta.url);
const frames: ForeignFrame[] = JSON.parse(readFileSync(file, 'utf8')).frames;
const byName = new Map(Object.values(apis).map((api) => [api.name, api as Api<unknown, unknown>]));

function decoded(client: string, name: string) {
  const found = frames.find((frame) => frame.api === name && frame.client.startsWith(client))!;
  const { header, rest } = decodeRequestHeader(Buffer.from(found.request, 'hex'));
  return { header, body: decodeRequestBody(byName.get(name)!, found.version, rest) };
}

describe.each(frames)('$api $version of $client', ({ api: name, version, request }) => {
  const bytes = Buffer.from(request, 'hex');
  const api = byName.get(name)!;

  test('is decoded and encoded again to the same bytes', () => {
    const { header, rest } = decodeRequestHeader(bytes);
    expect(header).toMatchObject({ apiKey: api.key, apiVersion: version, clientId: expect.any(String) });
    const message = decodeRequestBody(api, version, rest);
    const again = Buffer.concat(encodeRequest(api, version, header, message)).subarray(4);
    expect(again.toString('hex')).toBe(request);
  });
});

test('librdkafka names itself in its first request, in the flexible format', () => {
  expect(decoded('librdkafka', 'ApiVersions').body).toEqual({
    clientSoftwareName: 'librdkafka',
    clientSoftwareVersion: '2.0.2',
  });
});

test.each([
  ['librdkafka', ['a']],
  ['kafkajs', ['v']],
])('the batch that %s produces holds the records that were sent', (client, values) => {
  const { topics } = decoded(client, 'Produce').body as ReturnType<typeof apis.produce.request.decode>;
  const [batch] = [...iterateBatches(topics[0]!.partitions[0]!.records[0]!)];
  expect(batch!.crcIsValid()).toBe(true);
  expect([...batch!.records()].map((record) => record.value!.toString())).toEqual(values);
});

test.each(['0000000000000000', '0000000001000000'])(
  'librdkafka 2.x asks for all topics with a count that is too long (%s), and is understood',
  (body) => {
    const { header, rest } = decodeRequestHeader(Buffer.from(`000300090000000200016300${body}`, 'hex'));
    expect(decodeRequestBody(apis.metadata, header.apiVersion, rest).topics).toBeNull();
  },
);

test('Java joins a group in the flexible format, with the ways of dividing that it knows', () => {
  const { header, body } = decoded('Java', 'JoinGroup');
  expect(header.apiVersion).toBe(9);
  const { protocolType, protocols, reason } = body as ReturnType<typeof apis.joinGroup.request.decode>;
  expect([protocolType, reason]).toEqual(['consumer', '']);
  expect(protocols.map(({ name }) => name)).toEqual(['range', 'cooperative-sticky']);
});
