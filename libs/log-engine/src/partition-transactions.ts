import type { TransactionOutcome } from './api.ts';

/** A transaction that holds up those who read only what is committed. */
export interface UnstableTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Undefined while it is open. */
  markerOffset: number | undefined;
}

/** Of an aborted transaction, as a checkpoint has it. */
export type AbortedRow = [producerId: number, firstOffset: number, markerOffset: number];

/** The transactions of one partition: open ones, those that end, and those that were aborted. */
export class PartitionTransactions {
  /** In the order of their first offsets. */
  #unstable: UnstableTransaction[] = [];
  /** In the order of their markers. Rows are added, or the array is replaced: who reads it has a stable view. */
  #aborted: AbortedRow[] = [];

  /** @param open rows of producer id and first offset, in the order of these offsets */
  static from(open: Iterable<[producerId: number, firstOffset: number]>, aborted: Iterable<AbortedRow>) {
    const transactions = new PartitionTransactions();
    for (const [producerId, firstOffset] of open) transactions.begin(producerId, firstOffset);
    transactions.#aborted = [...aborted];
    return transactions;
  }

  /** Of each open transaction the producer and the first offset. */
  get open(): [producerId: number, firstOffset: number][] {
    return this.#unstable
      .filter(({ markerOffset }) => markerOffset === undefined)
      .map(({ producerId, firstOffset }) => [producerId, firstOffset]);
  }

  get aborted(): readonly AbortedRow[] {
    return this.#aborted;
  }

  /** First offset of the oldest transaction that is open, or whose marker could still be lost in a crash. */
  get firstUnstableOffset(): number | undefined {
    return this.#unstable[0]?.firstOffset;
  }

  /** First offset of the producer's open transaction. */
  openFrom(producerId: number): number | undefined {
    return this.#findOpen(producerId)?.firstOffset;
  }

  begin(producerId: number, firstOffset: number): void {
    this.#unstable.push({ producerId, firstOffset, markerOffset: undefined });
  }

  /** A marker was appended. What it ended is to be settled when the marker is durable. */
  end(producerId: number, markerOffset: number, outcome: TransactionOutcome): UnstableTransaction | undefined {
    const ended = this.#findOpen(producerId);
    if (ended === undefined) return undefined;
    ended.markerOffset = markerOffset;
    if (outcome === 'abort') this.#aborted.push([producerId, ended.firstOffset, markerOffset]);
    return ended;
  }

  settle(ended: UnstableTransaction): void {
    this.#unstable = this.#unstable.filter((transaction) => transaction !== ended);
  }

  /** Retention took everything before `startOffset`. */
  forgetBefore(startOffset: number): void {
    if ((this.#aborted[0]?.[2] ?? startOffset) >= startOffset) return;
    this.#aborted = this.#aborted.filter(([, , markerOffset]) => markerOffset >= startOffset);
  }

  #findOpen(producerId: number): UnstableTransaction | undefined {
    return this.#unstable.find((open) => open.producerId === producerId && open.markerOffset === undefined);
  }
}

/** Those of the aborted transactions that have something from offset `from` up to, not including, `end`. */
export function abortedWithin(aborted: readonly AbortedRow[], from: number, end: number): AbortedRow[] {
  let low = 0;
  let high = aborted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (aborted[middle]![2] < from) low = middle + 1;
    else high = middle;
  }
  const found: AbortedRow[] = [];
  for (let i = low; i < aborted.length; i++) if (aborted[i]![1] < end) found.push(aborted[i]!);
  return found.sort((a, b) => a[1] - b[1]);
}
