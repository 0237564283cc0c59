import { gzipSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { BATCH_HEADER_BYTES, RecordBatchBuilder } from '@tickfold/kafka-protocol';
import type { SeededRandom } from '@tickfold/testkit/faulty-disk';

/** Gzip takes one packed piece after another. */
const BOMB_PIECE_BYTES = 16 * 1024 * 1024;
const BOMB_PIECES = 16;
const ATTRIBUTES_AT = 21;
const LAST_DELTA_AT = 23;
const RECORD_COUNT_AT = 57;
const CRC_AT = 17;
const LENGTH_AT = 8;
const MOST_RECORDS = 5;

/** Record batches as a hostile producer makes them; a third of them are sound. */
export function someBatches(random: SeededRandom): Buffer {
  const sound = soundBatch(random);
  if (random.chance(0.3)) return sound;
  switch (random.below(7)) {
    case 0:
      return Buffer.concat([sound, soundBatch(random)]);
    case 1:
      return sound.subarray(0, random.below(sound.length));
    case 2:
      return bomb();
    case 3:
      return resealed(sound, (bytes) =>
        bytes.writeInt32BE(random.pick([-1, 0, 1_000_000, 0x7fff_ffff]), RECORD_COUNT_AT),
      );
    case 4:
      return resealed(sound, (bytes) => bytes.writeInt32BE(random.pick([-1, 0x7fff_ffff]), LAST_DELTA_AT));
    case 5: {
      const damaged = Buffer.from(sound);
      damaged[random.below(damaged.length)]! ^= 1 << random.below(8);
      return damaged;
    }
    default:
      // Its CRC is right, and nothing else need be.
      return resealed(sound, (bytes) => bytes.fill(random.below(256), BATCH_HEADER_BYTES + random.below(5)));
  }
}

/** What a producer in its right mind sends: so many records under one key, with one value. */
export function batchOf(key: string, value: string, recordCount = 1): Buffer {
  const builder = new RecordBatchBuilder(256);
  for (let i = 0; i < recordCount; i++) builder.append(key, value, 1_700_000_000_000);
  return builder.finish();
}

function soundBatch(random: SeededRandom): Buffer {
  const builder = new RecordBatchBuilder(256);
  for (let i = random.below(MOST_RECORDS); i >= 0; i--) builder.append('key', 'value', 1_700_000_000_000);
  const producerId = random.pick([-1n, -1n, 0n, 1n, 1n << 40n]);
  return builder.finish({
    producerId,
    producerEpoch: producerId < 0n ? -1 : random.below(2),
    baseSequence: producerId < 0n ? -1 : random.pick([0, 0, 1, 0x7fff_ffff]),
    isTransactional: random.chance(0.2),
    isControl: random.chance(0.05),
  });
}

let madeBomb: Buffer | undefined;

/** A quarter of a megabyte that unfolds to a quarter of a gigabyte. */
function bomb(): Buffer {
  madeBomb ??= makeBomb();
  return madeBomb;
}

function makeBomb(): Buffer {
  const sound = batchOf('key', 'value');
  const packed = gzipSync(Buffer.alloc(BOMB_PIECE_BYTES), { level: 9 });
  return resealed(
    Buffer.concat([sound.subarray(0, BATCH_HEADER_BYTES), ...Array<Buffer>(BOMB_PIECES).fill(packed)]),
    (bytes) => {
      bytes.writeInt16BE(1, ATTRIBUTES_AT);
      bytes.writeInt32BE(1_000, LAST_DELTA_AT);
      bytes.writeInt32BE(1_001, RECORD_COUNT_AT);
    },
  );
}

function resealed(batch: Buffer, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(batch);
  change(bytes);
  bytes.writeInt32BE(bytes.length - LENGTH_AT - 4, LENGTH_AT);
  bytes.writeUInt32BE(crc32c(bytes.subarray(ATTRIBUTES_AT)), CRC_AT);
  return bytes;
}
