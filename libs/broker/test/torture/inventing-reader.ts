import { Reader, Writer } from '@tickfold/kafka-protocol';
import type { SeededRandom } from '@tickfold/testkit/faulty-disk';
import { someBatches } from './some-batches.ts';

/** Null, a time-out, and counts that no sane sender means: the broker has to refuse them before it makes room. */
const COUNTS_AND_TIMES = [-1, -1, 6_000, 6_000, 0x7fff_ffff, -0x8000_0000, -2, 65_536, 2_000_001] as const;
const UUID_BYTES = 16;
const MOST_ELEMENTS = 40;
const NAMES = [
  'fuzz.a',
  'fuzz.b',
  'fuzz',
  'fuzz-group',
  'fuzz.transaction',
  'consumer',
  'range',
  'cleanup.policy',
  'compact',
  'retention.ms',
  '1',
  '127.0.0.1',
  '',
  '..',
  '../../fuzz',
  'fuzz.\u{1F600}',
  'fuzz.\u0000',
  '__proto__',
  'constructor',
  'x'.repeat(250),
] as const;

/** What was invented so far is the whole message: nobody could read on. */
export class HostileCount extends Error {}

/**
 * Reads what nobody wrote: a codec that reads from it gets values made up on the spot, and `written` is then a message
 * that this codec reads to those values. So every API and version is spoken without a word about any of them.
 */
export class InventingReader extends Reader {
  readonly #random: SeededRandom;
  readonly #chunks: Buffer[] = [];
  #elements = 0;
  #lastUvarint = 0;

  constructor(random: SeededRandom) {
    super(Buffer.alloc(0));
    this.#random = random;
  }

  get written(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  override get remaining(): number {
    return 0;
  }

  override int8(): number {
    const value = this.#random.pick([0, 1, 2, 3, -1, 0x7f, -0x80]);
    const chunk = Buffer.alloc(1);
    chunk.writeInt8(value);
    this.#chunks.push(chunk);
    return value;
  }

  override int16(): number {
    const value = this.#random.chance(0.02)
      ? this.#random.pick([-2, -1, -1, 0x7fff, -0x8000])
      : this.#random.pick([0, 1, 1, 1, 1]);
    const chunk = Buffer.alloc(2);
    chunk.writeInt16BE(value);
    this.#chunks.push(chunk);
    return value;
  }

  override int32(): number {
    const value = this.#random.chance(0.02)
      ? this.#random.pick(COUNTS_AND_TIMES)
      : this.#random.pick([0, 1, 1, 1, 2, 3]);
    const chunk = Buffer.alloc(4);
    chunk.writeInt32BE(value);
    this.#chunks.push(chunk);
    return value;
  }

  override int64(): bigint {
    const value = this.#random.pick([0n, 1n, 2n, 100n, -1n, -2n, -3n, 1n << 40n, (1n << 63n) - 1n, -(1n << 63n)]);
    const chunk = Buffer.alloc(8);
    chunk.writeBigInt64BE(value);
    this.#chunks.push(chunk);
    return value;
  }

  override float64(): number {
    const value = this.#random.pick([0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY]);
    const chunk = Buffer.alloc(8);
    chunk.writeDoubleBE(value);
    this.#chunks.push(chunk);
    return value;
  }

  override uvarint(): number {
    const value = this.#random.chance(0.02)
      ? this.#random.pick([0, 0, 0x7fff_ffff, 0xffff_ffff])
      : this.#random.pick([1, 2, 2, 2, 3, 4]);
    this.#chunks.push(uvarintBytes(value));
    this.#lastUvarint = value;
    return value;
  }

  override text(length: number): string {
    const text = this.#random.pick(NAMES);
    this.#replaceLength(length, Buffer.from(text));
    return text;
  }

  override view(length: number): Buffer {
    // No invented number is so large: these bytes have no length before them.
    if (length === UUID_BYTES) {
      const id = Buffer.alloc(UUID_BYTES, this.#random.below(3));
      this.#chunks.push(id);
      return id;
    }
    const bytes = length === 0 ? Buffer.alloc(0) : someBatches(this.#random);
    this.#replaceLength(length, bytes);
    return bytes;
  }

  override countElements(count: number): void {
    this.#elements += count;
    if (count > MOST_ELEMENTS || this.#elements > MOST_ELEMENTS) throw new HostileCount();
  }

  /** The length stands right before, in the form that the codec asked for: only a variable one has 1 byte, or 5. */
  #replaceLength(former: number, bytes: Buffer): void {
    const { length: formBytes } = this.#chunks.pop() ?? Buffer.alloc(0);
    if (formBytes === 2 || formBytes === 4) {
      const length = Buffer.alloc(formBytes);
      length.writeIntBE(bytes.length, 0, formBytes);
      this.#chunks.push(length, bytes);
    } else {
      const added = this.#lastUvarint - former;
      this.#chunks.push(uvarintBytes(bytes.length + added), bytes);
    }
  }
}

function uvarintBytes(value: number): Buffer {
  const writer = new Writer();
  writer.uvarint(value);
  return Buffer.concat(writer.finish());
}
