import { type Codec, decompress, MAX_DECOMPRESSED_BYTES } from '@tickfold/kafka-protocol';
import kafkajs from 'kafkajs';
import { StreamError } from '../errors.ts';

// Node.js does not find these among the names that kafkajs exports.
const { CompressionCodecs, CompressionTypes } = kafkajs;

/** kafkajs brings gzip only; other writers of a topic may use any of the four. */
export function allowEveryCompression(): void {
  const codecs = CompressionCodecs as Record<number, () => unknown>;
  codecs[CompressionTypes.Snappy] = () => reading('snappy');
  codecs[CompressionTypes.LZ4] = () => reading('lz4');
  codecs[CompressionTypes.ZSTD] = () => reading('zstd');
}

function reading(codec: Codec) {
  return {
    async decompress(packed: Buffer): Promise<Buffer> {
      try {
        return decompress(codec, packed, MAX_DECOMPRESSED_BYTES);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new StreamError('corrupt-batch', `a batch packed with ${codec} cannot be unpacked: ${reason}`, { cause });
      }
    },
    async compress(): Promise<never> {
      throw new StreamError('bad-setting', `records are not packed with ${codec} here`);
    },
  };
}
