import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  areOrdinary,
  BATCH_HEADER_BYTES,
  batchCrcIsValid,
  iterateBatches,
  type RecordBatch,
  RecordBatchError,
  readBatchHeader,
} from './record-batch.ts';
import { RecordBatchBuilder } from './record-batch-builder.ts';
import { writeVarint } from './varint.ts';

interface PlainRecord {
  key: Buffer | null;
  value: Buffer | null;
  timestampMs: number;
  headers: Record<string, string>;
}

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
/** kafkajs keeps headers in a plain object, where a header named `toString` meets the function of that name. */
const headerName = fc.string({ maxLength: 60 }).filter((name) => !(name in {}));
const plainRecord: fc.Arbitrary<PlainRecord> = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  timestampMs: fc.oneof(fc.integer({ min: 0, max: 4_102_444_800_000 }), fc.integer({ min: -1, max: 100 })),
  headers: fc.dictionary(headerName, fc.string({ maxLength: 60, unit: 'grapheme' }), { maxKeys: 4 }),
});

function built(records: PlainRecord[], baseOffset = 0n): Buffer {
  const builder = new RecordBatchBuilder(256);
  for (const { key, value, timestampMs, headers } of records) builder.append(key, value, timestampMs, headers);
  return builder.finish({ baseOffset });
}

function onlyBatch(of: Uint8Array): RecordBatch {
  const batches = [...iterateBatches(of)];
  expect(batches).toHaveLength(1);
  return batches[0]!;
}

function plain(batch: RecordBatch): PlainRecord[] {
  return [...batch.records()].map((record) => ({
    key: record.key,
    value: record.value,
    timestampMs: record.timestampMs,
    headers: Object.fromEntries(record.headers().map(({ key, value }) => [key, value!.toString()])),
  }));
}

describe('a batch of our own', () => {
  test('gives back the records that were put in, at consecutive offsets', () => {
    fc.assert(
      fc.property(fc.array(plainRecord, { minLength: 1, maxLength: 30 }), fc.bigInt(0n, 1n << 60n), (records, base) => {
        const batch = onlyBatch(built(records, base));
        expect(batch.crcIsValid()).toBe(true);
        expect(plain(batch)).toEqual(records);
        expect([...batch.records()].map((record) => record.offset)).toEqual(records.map((_, i) => base + BigInt(i)));
        expect(batch.header.lastOffset).toBe(base + BigInt(records.length - 1));
        expect(batch.header.maxTimestampMs).toBe(BigInt(Math.max(...records.map((record) => record.timestampMs))));
      }),
    );
  });

  test('has a CRC that finds every flipped bit after it', () => {
    const batch = built([
      { key: Buffer.from('AAPL'), value: Buffer.from('tick'), timestampMs: 5, headers: { a: 'b' } },
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 17 * 8, max: batch.length * 8 - 1 }), (bit) => {
        const flipped = Buffer.from(batch);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expect(batchCrcIsValid(flipped, 0, flipped.length)).toBe(false);
      }),
    );
  });

  test('keeps its CRC when a broker sets base offset and leader epoch', () => {
    const batch = built([{ key: null, value: Buffer.from('v'), timestampMs: 0, headers: {} }]);
    batch.writeBigInt64BE(77n, 0);
    batch.writeInt32BE(3, 12);
    expect(batchCrcIsValid(batch, 0, batch.length)).toBe(true);
    expect([...onlyBatch(batch).records()][0]!.offset).toBe(77n);
  });

  test('can be written from text, also from text that is not ASCII', () => {
    const builder = new RecordBatchBuilder();
    const long = 'naïve – '.repeat(100);
    builder.append('AAPL', long, 1);
    builder.append('Ünïcode', 'v', 1);
    const [first, second] = [...onlyBatch(builder.finish()).records()];
    expect(first!.key!.toString()).toBe('AAPL');
    expect(first!.value!.toString()).toBe(long);
    expect(second!.key!.toString()).toBe('Ünïcode');
  });

  test.each([0, 1, 50, 57, 58, 8_180, 8_190, 1_048_570, 1_048_580])(
    'holds a value of %i bytes between others',
    (size) => {
      const builder = new RecordBatchBuilder();
      const value = Buffer.alloc(size, 'x');
      for (const each of ['before', value, value.toString(), 'after']) builder.append('k', each, 1, { h: 'v' });
      const values = [...onlyBatch(builder.finish()).records()].map((record) => record.value!.toString());
      expect(values).toEqual(['before', value.toString(), value.toString(), 'after']);
    },
  );

  test('does not change when its builder goes on', () => {
    const builder = new RecordBatchBuilder();
    builder.append('k', 'first', 1);
    const first = builder.finish();
    const copy = Buffer.from(first);
    builder.append('k', 'second', 2);
    builder.finish();
    expect(first).toEqual(copy);
  });

  test('lies behind those that were closed before it, and what is open stays with the builder', () => {
    fc.assert(
      fc.property(fc.array(fc.array(plainRecord, { minLength: 1, maxLength: 5 }), { minLength: 1 }), (batches) => {
        const builder = new RecordBatchBuilder(256);
        const taken: Buffer[] = [];
        for (const [i, records] of batches.entries()) {
          for (const { key, value, timestampMs, headers } of records) {
            builder.append(key, value, timestampMs, headers);
            // In the middle of a batch, behind none or several that are closed.
            if (i % 3 === 2 && builder.closedBytes > 0) taken.push(builder.take());
          }
          builder.close({ baseOffset: BigInt(i) });
        }
        taken.push(builder.take());
        const found = [...iterateBatches(Buffer.concat(taken))];
        expect(found.map((batch) => [batch.header.baseOffset, batch.crcIsValid()])).toEqual(
          batches.map((_, i) => [BigInt(i), true]),
        );
        expect(found.map(plain)).toEqual(batches);
      }),
    );
  });

  test('answers for one header by name without the others', () => {
    const record = [
      ...onlyBatch(built([{ key: null, value: null, timestampMs: 0, headers: { a: '1', b: 'ü' } }])).records(),
    ][0]!;
    expect(record.header('b')).toBe('ü');
    expect(record.header('c')).toBeUndefined();
  });
});

describe('reading batches back to back', () => {
  test('one that is transactional or a control batch is found among ordinary ones, without reading any', () => {
    const batch = (options: { isTransactional?: boolean; isControl?: boolean }): Buffer => {
      const builder = new RecordBatchBuilder();
      builder.append('k', 'v', 1);
      return builder.finish({ producerId: 1n, producerEpoch: 0, baseSequence: 0, ...options });
    };
    expect(areOrdinary(Buffer.concat([batch({}), batch({})]))).toBe(true);
    expect(areOrdinary(Buffer.concat([batch({}), batch({ isTransactional: true })]))).toBe(false);
    expect(areOrdinary(Buffer.concat([batch({}), batch({ isControl: true }), batch({})]))).toBe(false);
    // Whether they are batches at all is for others to judge.
    expect(areOrdinary(Buffer.alloc(200))).toBe(true);
    expect(areOrdinary(Buffer.alloc(10, 0xff))).toBe(true);
  });

  test('yields each whole batch and leaves out one that is cut off', () => {
    const one = built([{ key: null, value: Buffer.from('1'), timestampMs: 0, headers: {} }], 0n);
    const two = built([{ key: null, value: Buffer.from('2'), timestampMs: 0, headers: {} }], 1n);
    const both = Buffer.concat([one, two]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: both.length }), (cut) => {
        const count = cut < one.length ? 0 : cut < both.length ? 1 : 2;
        expect([...iterateBatches(both.subarray(0, cut))]).toHaveLength(count);
      }),
    );
  });

  test('refuses older message formats by name', () => {
    const batch = built([{ key: null, value: null, timestampMs: 0, headers: {} }]);
    batch.writeInt8(1, 16);
    expect(() => readBatchHeader(batch)).toThrow('magic 1');
  });

  test('ends with an error of its own on any damage, and never hangs', () => {
    const batch = built(
      Array.from({ length: 5 }, (_, i) => ({
        key: Buffer.from(`k${i}`),
        value: Buffer.from('value'),
        timestampMs: i,
        headers: { h: 'x' },
      })),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(batch.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (edits) => {
          const damaged = Buffer.from(batch);
          for (const [at, byte] of edits) damaged[at] = byte;
          try {
            for (const found of iterateBatches(damaged)) for (const record of found.records()) record.headers();
          } catch (error) {
            expect(error).toBeInstanceOf(RecordBatchError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('compression', () => {
  test('unpacks gzip', () => {
    const records = [
      { key: Buffer.from('a'), value: Buffer.from('b'.repeat(500)), timestampMs: 7, headers: { x: 'y' } },
      { key: null, value: Buffer.from('c'), timestampMs: 8, headers: {} },
    ];
    const original = built(records);
    const packed = Buffer.concat([
      original.subarray(0, BATCH_HEADER_BYTES),
      gzipSync(original.subarray(BATCH_HEADER_BYTES)),
    ]);
    packed.writeInt32BE(packed.length - 12, 8);
    packed.writeInt16BE(1, 21);
    expect(plain(onlyBatch(packed))).toEqual(records);
  });

  test('a codec that nobody knows is refused by its number', () => {
    const batch = built([{ key: null, value: null, timestampMs: 0, headers: {} }]);
    batch.writeInt16BE(6, 21);
    expect(() => [...onlyBatch(batch).records()]).toThrow('codec 6');
  });

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'records that do not unpack with %s are told as that',
    (codec) => {
      const batch = built([{ key: null, value: Buffer.from('x'.repeat(100)), timestampMs: 0, headers: {} }]);
      batch.writeInt16BE(['none', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(codec), 21);
      expect(() => [...onlyBatch(batch).records()]).toThrow(`do not unpack with ${codec}`);
    },
  );
});

test('append time replaces the time of every record', () => {
  const batch = built([{ key: null, value: null, timestampMs: 5, headers: {} }]);
  batch.writeInt16BE(0x08, 21);
  batch.writeBigInt64BE(99n, 35);
  expect([...onlyBatch(batch).records()][0]!.timestampMs).toBe(99);
});

test('a record whose length reaches past its batch is an error', () => {
  const batch = built([{ key: null, value: null, timestampMs: 0, headers: {} }]);
  writeVarint(batch, BATCH_HEADER_BYTES, 60);
  expect(() => [...onlyBatch(batch).records()]).toThrow('past its batch');
});

describe('batches of kafkajs', () => {
  const require = createRequire(import.meta.url);
  const { RecordBatch: encodeBatch } = require('kafkajs/src/protocol/recordBatch/v0');
  const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0');
  const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder');
  const Decoder = require('kafkajs/src/protocol/decoder');

  test('are read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(plainRecord, { minLength: 1, maxLength: 10 }), async (records) => {
        const first = records[0]!.timestampMs;
        const encoded = await encodeBatch({
          firstTimestamp: first,
          maxTimestamp: Math.max(...records.map((record) => record.timestampMs)),
          lastOffsetDelta: records.length - 1,
          records: records.map(({ timestampMs, ...rest }, offsetDelta) =>
            encodeRecord({ ...rest, offsetDelta, timestampDelta: timestampMs - first }),
          ),
        });
        const batch = onlyBatch(encoded.buffer);
        expect(batch.crcIsValid()).toBe(true);
        expect(plain(batch)).toEqual(records);
      }),
    );
  });

  test('of ours are read by kafkajs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(plainRecord, { minLength: 1, maxLength: 10 }), async (records) => {
        const decoded = await decodeBatch(new Decoder(built(records)));
        expect(
          decoded.records.map(
            (record: {
              key: Buffer | null;
              value: Buffer | null;
              timestamp: string;
              headers: Record<string, Buffer>;
            }) => ({
              key: record.key,
              value: record.value,
              timestampMs: Number(record.timestamp),
              headers: Object.fromEntries(
                Object.entries(record.headers).map(([key, value]) => [key, value.toString()]),
              ),
            }),
          ),
        ).toEqual(records);
      }),
    );
  });
});
