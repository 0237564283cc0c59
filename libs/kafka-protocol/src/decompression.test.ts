import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { describe, expect, test } from 'vitest';
import { type Codec, decompress } from './decompression.ts';

const LIMIT = 100_000;

function xerial(blocks: Buffer[]): Buffer {
  const head = Buffer.concat([Buffer.from('\x82SNAPPY\0', 'latin1'), Buffer.from('0000000100000001', 'hex')]);
  return Buffer.concat([head, ...blocks.flatMap((block) => [sizeOf(block), block])]);
}

function sizeOf(block: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(block.length);
  return size;
}

const packers: [string, Codec, (content: Buffer) => Buffer][] = [
  ['gzip', 'gzip', (content) => gzipSync(content)],
  ['snappy in one block, as librdkafka sends it', 'snappy', (content) => compressSync(content)],
  [
    'snappy in blocks, as Java sends it',
    'snappy',
    (content) => xerial([content.subarray(0, 1000), content.subarray(1000)].map((part) => compressSync(part))),
  ],
  ['lz4', 'lz4', (content) => compressFrameSync(content)],
  [
    'lz4 with checksums',
    'lz4',
    (content) => compressFrameSync(content, { blockChecksums: true, contentChecksum: true }),
  ],
];

describe.each(packers)('%s', (_what, codec, pack) => {
  test('unfolds to what was packed', () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc.tuple(fc.string({ minLength: 1 }), fc.nat(3000)).map(([part, times]) => Buffer.from(part.repeat(times))),
    );
    fc.assert(
      fc.property(content, (bytes) => {
        expect(decompress(codec, pack(Buffer.from(bytes)), LIMIT).equals(bytes)).toBe(true);
      }),
    );
  });

  test('is refused where it would unfold to more than the limit', () => {
    const bomb = pack(Buffer.alloc(200 * LIMIT));
    expect(() => decompress(codec, bomb, LIMIT)).toThrow();
  });

  test('is an error, and no crash, where bytes are missing or changed', () => {
    const packed = pack(Buffer.from('tickfold '.repeat(500)));
    fc.assert(
      fc.property(fc.nat(packed.length - 1), fc.nat(255), fc.boolean(), (at, byte, isCut) => {
        const damaged = isCut ? packed.subarray(0, at) : Buffer.from(packed);
        if (!isCut) damaged[at] = byte;
        try {
          expect(decompress(codec, damaged, LIMIT).length).toBeLessThanOrEqual(LIMIT);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});

describe('zstd', () => {
  /** 40 times `tickfold tickfold tickfold `, packed by zstd 1.5, with and without its size in front. */
  const packed = ['KLUv/WQ4A4UAAEh0aWNrZm9sZCABACzwL0c4pGzk', 'KLUv/QRYhQAASHRpY2tmb2xkIAEALPAvRzikbOQ='];
  const content = 'tickfold '.repeat(120);

  test.each(packed)('unfolds to what was packed', (text) => {
    expect(decompress('zstd', Buffer.from(text, 'base64'), LIMIT).toString()).toBe(content);
  });

  test.each(packed)('is refused where it would unfold to more than the limit', (text) => {
    expect(() => decompress('zstd', Buffer.from(text, 'base64'), content.length - 1)).toThrow(/more than 1079/);
  });

  test('is refused before anything is unpacked where it asks for a window past all limits', () => {
    const bytes = Buffer.from(packed[1]!, 'base64');
    bytes[5] = 0xf8;
    expect(() => decompress('zstd', bytes, LIMIT)).toThrow(`unfold to ${2 ** 41} bytes`);
  });

  test('is an error, and no crash, where bytes are missing or changed', () => {
    const whole = Buffer.from(packed[0]!, 'base64');
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, byte, isCut) => {
        const damaged = isCut ? whole.subarray(0, at) : Buffer.from(whole);
        if (!isCut) damaged[at] = byte;
        try {
          expect(decompress('zstd', damaged, LIMIT).length).toBeLessThanOrEqual(LIMIT);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
