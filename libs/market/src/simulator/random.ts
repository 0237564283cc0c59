/**
 * Seeded pseudo-random numbers: xoshiro128** 1.1 (Blackman and Vigna, 2018, public domain,
 * https://prng.di.unimi.it/xoshiro128starstar.c), its state filled by SplitMix32, the 32-bit member of the family of
 * Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014), with the finaliser of
 * MurmurHash3.
 *
 * Everything the simulator derives from it uses only additions, multiplications, divisions and square roots, which
 * IEEE 754 rounds in one way: so a seed gives the same bytes on every machine and JavaScript engine, as `Math.exp` or
 * `Math.log` would not.
 */
export class Random {
  #s0: number;
  #s1: number;
  #s2: number;
  #s3: number;

  /** @param labels tell independent streams of one seed apart: `new Random(42, 'prices', 3)` */
  constructor(seed: number, ...labels: readonly (string | number)[]) {
    const next = splitMix32(mixLabels(seed, labels));
    this.#s0 = next();
    this.#s1 = next();
    this.#s2 = next();
    this.#s3 = next() | 1; // never all zero
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const s1 = this.#s1;
    const product = Math.imul(s1, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = s1 << 9;
    this.#s2 ^= this.#s0;
    this.#s3 ^= s1;
    this.#s1 = s1 ^ this.#s2;
    this.#s0 ^= this.#s3;
    this.#s2 ^= shifted;
    this.#s3 = (this.#s3 << 11) | (this.#s3 >>> 21);
    return result;
  }

  /** At least 0 and below 1. */
  uniform(): number {
    return this.uint32() * 2 ** -32;
  }

  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /**
   * Nearly normal, mean 0 and variance 1: the sum of four uniform numbers (Irwin-Hall), which needs no logarithm. Its
   * tails end at ±3.46, so no price can jump far in one step.
   */
  normal(): number {
    const a = this.uint32();
    const b = this.uint32();
    const sum = (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16);
    return (sum / 65_536 - 2 + 2 ** -15) * SQRT_3;
  }
}

const SQRT_3 = Math.sqrt(3);

function mixLabels(seed: number, labels: readonly (string | number)[]): number {
  let mixed = Math.imul(seed | 0, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32);
  for (const character of labels.join('\u0000')) {
    mixed = Math.imul(mixed ^ character.charCodeAt(0), 0x01000193); // FNV-1a
  }
  return mixed;
}

function splitMix32(state: number): () => number {
  let sum = state | 0;
  return () => {
    sum = (sum + 0x9e3779b9) | 0;
    let mixed = sum ^ (sum >>> 16);
    mixed = Math.imul(mixed, 0x85ebca6b);
    mixed ^= mixed >>> 13;
    mixed = Math.imul(mixed, 0xc2b2ae35);
    return mixed ^ (mixed >>> 16);
  };
}

/** Draws an index in proportion to its weight, in constant time, from a table whose size bounds the error. */
export class WeightedChoice {
  readonly #table: Uint16Array;
  readonly #shift: number;

  /** @param tableBits the table has 2^tableBits entries; every index with a positive weight gets at least one */
  constructor(weights: readonly number[], tableBits = 14) {
    const size = 2 ** tableBits;
    if (weights.length > size) throw new RangeError(`${weights.length} weights do not fit a table of ${size}.`);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    this.#table = new Uint16Array(size);
    this.#shift = 32 - tableBits;
    let from = 0;
    let weightSoFar = 0;
    for (const [index, weight] of weights.entries()) {
      weightSoFar += weight;
      const remaining = weights.length - 1 - index;
      const to = Math.min(size - remaining, Math.max(from + 1, Math.round((weightSoFar / total) * size)));
      this.#table.fill(index, from, to);
      from = to;
    }
    this.#table.fill(weights.length - 1, from);
  }

  draw(random: Random): number {
    return this.#table[random.uint32() >>> this.#shift]!;
  }
}
