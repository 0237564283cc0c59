import { Random, WeightedChoice } from './random.ts';

const TRADERS = 400;
const MOST_RECEIVERS = 10;

/**
 * Senders and receivers of offers. Both follow Zipf's law with exponent 1 (weight 1/rank), in two different orders, so
 * that a few traders send very much and a few others receive very much.
 */
export class Traders {
  readonly #senders: readonly string[];
  readonly #receivers: readonly string[];
  readonly #byRank = new WeightedChoice(
    Array.from({ length: TRADERS }, (_, rank) => 1 / (rank + 1)),
    16,
  );

  constructor(seed: number) {
    const random = new Random(seed, 'traders');
    const ids = shuffled(
      Array.from({ length: 9_999 }, (_, index) => String(index + 1).padStart(4, '0')),
      random,
    ).slice(0, TRADERS);
    this.#senders = ids;
    this.#receivers = shuffled(ids, random);
  }

  drawSender(random: Random): string {
    return this.#senders[this.#byRank.draw(random)]!;
  }

  /** Fills `into` with 1 to 10 distinct receivers, none of them the sender; few more often than many. */
  drawReceivers(random: Random, sender: string, into: string[]): void {
    const wanted = 1 + Math.min(random.below(MOST_RECEIVERS), random.below(MOST_RECEIVERS));
    into.length = 0;
    while (into.length < wanted) {
      const receiver = this.#receivers[this.#byRank.draw(random)]!;
      if (receiver !== sender && !into.includes(receiver)) into.push(receiver);
    }
  }
}

/** Fisher-Yates. */
function shuffled(ids: readonly string[], random: Random): string[] {
  const result = [...ids];
  for (let last = result.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}
