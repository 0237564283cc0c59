import type { Decision } from '@tickfold/market';
import type { Difference } from './contract.ts';

/** One model's decision and the enriched tick that it is about: its place in `market.enriched` and its source id. */
export interface DecisionSeen {
  model: string;
  partition: number;
  inputOffset: bigint;
  source: string;
  decision: Decision;
}

/** A difference with all that was decided; null where a model wrote nothing. */
export interface DecidedDifference extends Difference {
  decisions: readonly (Decision | null)[];
}

/** What a model that wrote nothing for a tick is shown as doing. */
export const NO_DECISION = 'none';
export const MAX_DIFFERENCES = 200;

/** How far one model may run ahead of the slowest before its reader waits. */
export const MAX_AHEAD = 4_000;

/**
 * Finds the ticks on which model versions decided differently: a merge join of their decision streams. Within a
 * partition every stream ascends by the offset of the enriched tick, so that the smallest offset at the heads is
 * decided as soon as every stream has passed it. Memory is bounded because readers wait for `roomFor`.
 */
export class DifferenceJoin {
  total = 0;
  compared = 0;
  readonly #models: readonly string[];
  readonly #partitions = new Map<number, Map<string, Lane>>();
  readonly #newest: DecidedDifference[] = [];
  #waiting: (() => void)[] = [];

  constructor(models: readonly string[]) {
    this.#models = models;
  }

  add(decision: DecisionSeen): void {
    const lanes = this.#lanesOf(decision.partition);
    const lane = lanes.get(decision.model);
    if (!lane) throw new Error(`${decision.model} is none of the compared models ${this.#models.join(', ')}`);
    if (decision.inputOffset < lane.passed) return; // read again after a reconnect
    lane.queue.push(decision);
    lane.passed = decision.inputOffset + 1n;
    this.#merge(lanes);
  }

  /** The model has handled every enriched tick before that offset, whether it wrote decisions or not. */
  advance(model: string, partition: number, nextInputOffset: bigint): void {
    const lanes = this.#lanesOf(partition);
    const lane = lanes.get(model);
    if (!lane || nextInputOffset <= lane.passed) return;
    lane.passed = nextInputOffset;
    this.#merge(lanes);
  }

  /** Undefined when the model's reader of that partition may go on; otherwise a promise to await first. */
  roomFor(model: string, partition: number): Promise<void> | undefined {
    const queued = this.#lanesOf(partition).get(model)?.queue.length ?? 0;
    if (queued < MAX_AHEAD) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Lets every waiting reader look again, as when it is to end. */
  wakeReaders(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Newest first. */
  newest(): readonly DecidedDifference[] {
    return this.#newest;
  }

  find(id: string): DecidedDifference | undefined {
    return this.#newest.find((difference) => difference.id === id);
  }

  #lanesOf(partition: number): Map<string, Lane> {
    let lanes = this.#partitions.get(partition);
    if (!lanes) {
      lanes = new Map(this.#models.map((model) => [model, new Lane()]));
      this.#partitions.set(partition, lanes);
    }
    return lanes;
  }

  #merge(lanes: Map<string, Lane>): void {
    const all = [...lanes.values()];
    let merged = false;
    for (;;) {
      const offset = smallestHead(all);
      if (offset === undefined || all.some(({ passed }) => passed <= offset)) break;
      this.#compare(this.#models.map((model) => lanes.get(model)!.queue.takeAt(offset)));
      merged = true;
    }
    if (merged) this.wakeReaders();
  }

  #compare(decisions: (DecisionSeen | undefined)[]): void {
    const decided = decisions.find((decision) => decision !== undefined);
    if (!decided) return;
    this.compared += 1;
    const sides = this.#models.map((model, index) => ({
      model,
      action: decisions[index]?.decision.action ?? NO_DECISION,
    }));
    if (sides.every(({ action }) => action === sides[0]!.action)) return;
    this.total += 1;
    const { symbol, eventTimeMs, priceE4 } = decided.decision;
    this.#newest.unshift({
      id: `${decided.partition}-${decided.inputOffset}`,
      source: decided.source,
      symbol,
      eventTimeMs,
      priceE4,
      sides,
      decisions: decisions.map((side) => side?.decision ?? null),
    });
    if (this.#newest.length > MAX_DIFFERENCES) this.#newest.pop();
  }
}

/** One model's decisions of one partition that wait for the other models. */
class Lane {
  readonly queue = new DecisionQueue();
  /** Every tick before this offset is handled. */
  passed = 0n;
}

/** A queue whose front moves without copying what is behind it. */
class DecisionQueue {
  #items: DecisionSeen[] = [];
  #front = 0;

  get length(): number {
    return this.#items.length - this.#front;
  }

  push(decision: DecisionSeen): void {
    this.#items.push(decision);
  }

  head(): DecisionSeen | undefined {
    return this.#items[this.#front];
  }

  /** Takes the head when it is the decision of that tick. */
  takeAt(inputOffset: bigint): DecisionSeen | undefined {
    const head = this.head();
    if (head?.inputOffset !== inputOffset) return undefined;
    this.#front += 1;
    if (this.#front > 1_024 && this.#front * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#front);
      this.#front = 0;
    }
    return head;
  }
}

function smallestHead(lanes: readonly Lane[]): bigint | undefined {
  let smallest: bigint | undefined;
  for (const { queue } of lanes) {
    const offset = queue.head()?.inputOffset;
    if (offset !== undefined && (smallest === undefined || offset < smallest)) smallest = offset;
  }
  return smallest;
}
