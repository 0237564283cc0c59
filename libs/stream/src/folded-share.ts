import type { ProcessorOptions } from './api.ts';
import { isRetriable, StreamError } from './errors.ts';
import { PartitionFold } from './partition-fold.ts';

/** The input partitions that this instance of a processor has, from one division of the group to the next. */
export class FoldedShare<State> {
  readonly #options: ProcessorOptions<State>;
  readonly #folds = new Map<number, PartitionFold<State>>();
  /** What was given up at the last division: its state still counts where the partition comes back and nobody went on. */
  #former = new Map<number, PartitionFold<State>>();

  constructor(options: ProcessorOptions<State>) {
    this.#options = options;
  }

  /** @throws where this instance does not have the partition */
  fold(partition: number): PartitionFold<State> {
    return this.#folds.get(partition)!;
  }

  get isDirty(): boolean {
    for (const fold of this.#folds.values()) if (fold.isDirty) return true;
    return false;
  }

  /** @returns where to begin. @throws StreamError */
  async take(partitions: readonly number[]): Promise<{ topic: string; partition: number; offset: bigint }[]> {
    const former = this.#former;
    this.#former = new Map();
    const opening = partitions.map(async (partition) => {
      const fold = await PartitionFold.open(this.#options, partition, former.get(partition));
      this.#folds.set(partition, fold);
    });
    const failed = (await Promise.allSettled(opening)).find(({ status }) => status === 'rejected');
    if (failed !== undefined) {
      await this.drop();
      throw (failed as PromiseRejectedResult).reason;
    }
    this.#options.onPartitions?.(partitions);
    return [...this.#folds.values()].map((fold) => fold.start);
  }

  /** @throws StreamError */
  async commit(): Promise<void> {
    await Promise.all([...this.#folds.values()].map((fold) => fold.commit()));
  }

  /** Commits what was folded, for whoever goes on with it. */
  async giveUp(): Promise<void> {
    const folds = [...this.#folds.values()];
    try {
      await this.commit();
      this.#former = new Map(folds.map((fold) => [fold.partition, fold]));
    } catch (error) {
      // Another instance went on with a partition already: of that one nothing counts that was folded here since.
      if (!(error instanceof StreamError) || !(error.code === 'fenced' || isRetriable(error))) throw error;
    } finally {
      await this.drop();
    }
  }

  /** Takes back what is not committed. */
  async drop(): Promise<void> {
    const folds = [...this.#folds.values()];
    this.#folds.clear();
    await Promise.all(folds.map((fold) => fold.close()));
    if (folds.length > 0) this.#options.onPartitions?.([]);
  }
}
