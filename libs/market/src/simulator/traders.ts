import { Random, WeightedChoice } from './random.ts';

const TRADERS = 400;
const MOST_RECEIVERS = 10;

/**
 * Senders and receivers of offers. Both follow Zipf's law with exponent 1 (weight 1/rank), in two different orders, so
 * that a few traders send very much and a few others receive very much.
 */
export class Traders {
  readonly #senders: readonly number[];
  readonly #receivers: readonly number[];
  readonly #byRank = new WeightedChoice(
    Array.from({ length: TRADERS }, (_, rank) => 1 / (rank + 1)),
    16,
  );

  constructor(seed: number) {
    const random = new Random(seed, 'traders');
    const ids = shuffled(
      Array.from({ length: 9_999 }, (_, index) => index + 1),
      random,
    ).slice(0, TRADERS);
    this.#senders = ids;
    this.#receivers = shuffled(ids, random);
  }

  drawSender(random: Random): number {
    return this.#senders[this.#byRank.draw(random)]!;
  }

  /** Writes 1 to 10 distinct receivers, none of them the sender, and returns how many. */
  drawReceivers(random: Random, sender: number, into: Uint16Array): number {
    const wanted = 1 + Math.min(random.below(MOST_RECEIVERS), random.below(MOST_RECEIVERS)); // few more often than many
    let count = 0;
    while (count < wanted) {
      const receiver = this.#receivers[this.#byRank.draw(random)]!;
      if (receiver === sender || includes(into, count, receiver)) continue;
      into[count++] = receiver;
    }
    return count;
  }
}

function includes(receivers: Uint16Array, count: number, receiver: number): boolean {
  for (let index = 0; index < count; index++) if (receivers[index] === receiver) return true;
  return false;
}

/** Fisher-Yates. */
function shuffled(ids: readonly number[], random: Random): number[] {
  const result = [...ids];
  for (let last = result.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}
