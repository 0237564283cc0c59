import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Api } from './api.ts';
import { apis } from './apis.ts';
import {
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  readCorrelationId,
} from './frames.ts';
import { ProtocolError } from './protocol-error.ts';
import type { Reader } from './reader.ts';

type AnyApi = Api<unknown, unknown>;

/** A reader that makes its bytes up: reading a message from it gives a random one of the message's own schema. */
function inventingReader(gen: fc.GeneratorValue): Reader {
  const small = (max: number) => gen(fc.nat, { max });
  const reader = {
    int8: () => small(1),
    int16: () => small(9),
    int32: () => small(3),
    int64: () => gen(fc.bigInt, -(2n ** 63n), 2n ** 63n - 1n),
    float64: () => gen(fc.double),
    uvarint: () => 1 + small(3),
    text: (length: number) => gen(() => fc.string({ minLength: length, maxLength: length })),
    view: (length: number) => Buffer.alloc(length, small(255)),
    part: () => reader,
    expectEnd: () => {},
    countElements: () => {},
  };
  return reader as unknown as Reader;
}

const cases = Object.values(apis).flatMap((api) =>
  Array.from({ length: api.maxVersion - api.minVersion + 1 }, (_, i) => {
    const version = api.minVersion + i;
    return { title: `${api.name} ${version}`, api: api as AnyApi, version };
  }),
);

describe.each(cases)('$title', ({ api, version }) => {
  test('gives back every request and response that was put in', () => {
    fc.assert(
      fc.property(fc.gen(), fc.integer(), fc.option(fc.string()), (gen, correlationId, clientId) => {
        const request = api.request.read(inventingReader(gen), version);
        const frame = Buffer.concat(encodeRequest(api, version, { correlationId, clientId }, request));
        expect(frame.readInt32BE(0)).toBe(frame.length - 4);
        const { header, rest } = decodeRequestHeader(frame.subarray(4));
        expect(header).toEqual({ apiKey: api.key, apiVersion: version, correlationId, clientId });
        expect(decodeRequestBody(api, version, rest)).toEqual(request);

        const response = api.response.read(inventingReader(gen), version);
        const answer = Buffer.concat(encodeResponse(api, version, correlationId, response)).subarray(4);
        expect(readCorrelationId(answer)).toBe(correlationId);
        expect(decodeResponse(api, version, answer)).toEqual(response);
      }),
      { numRuns: 30 },
    );
  });

  test('refuses every request that was cut short or has bytes left over, by a protocol error', () => {
    fc.assert(
      fc.property(fc.gen(), (gen) => {
        const body = Buffer.concat(api.request.encode(version, api.request.read(inventingReader(gen), version)));
        expect(() => api.request.decode(version, Buffer.concat([body, Buffer.of(0)]))).toThrow(ProtocolError);
        if (body.length > 0) {
          const cut = gen(fc.nat, { max: body.length - 1 });
          expect(() => api.request.decode(version, body.subarray(0, cut))).toThrow(ProtocolError);
        }
      }),
      { numRuns: 30 },
    );
  });
});

test('random bytes are a message or a protocol error, never anything else', () => {
  fc.assert(
    fc.property(fc.constantFrom(...cases), fc.uint8Array({ maxLength: 200 }), ({ api, version }, bytes) => {
      for (const codec of [api.request, api.response]) {
        try {
          codec.decode(version, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }
    }),
    { numRuns: 3000 },
  );
});

test('a version that an API does not have is refused by name', () => {
  expect(() => apis.fetch.request.decode(13, Buffer.alloc(0))).toThrow('Fetch version 13 is not among 4 to 12');
});

test('an array cannot announce more elements than bytes are left', () => {
  const body = Buffer.alloc(8);
  body.writeInt32BE(2_000_000_000, 0);
  expect(() => apis.metadata.request.decode(1, body)).toThrow('2000000000 elements in the last 4 bytes');
});

test('record batches travel by reference in both directions', () => {
  const batch = Buffer.alloc(50_000, 7);
  const request = {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topics: [{ name: 't', partitions: [{ index: 0, records: [batch, batch] }] }],
  };
  const chunks = encodeRequest(apis.produce, 7, { correlationId: 1, clientId: null }, request);
  expect(chunks.filter((chunk) => chunk.buffer === batch.buffer)).toHaveLength(2);

  const frame = Buffer.concat(chunks).subarray(4);
  const decoded = decodeRequestBody(apis.produce, 7, decodeRequestHeader(frame).rest);
  const [view] = decoded.topics[0]!.partitions[0]!.records;
  expect(view!.buffer).toBe(frame.buffer);
  expect(view).toHaveLength(100_000);
});
