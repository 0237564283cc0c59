/** Whose bytes are counted; one that holds too much is told to give up. */
export interface Holder {
  giveUp(reason: string): void;
}

interface Held {
  unfinishedBytes: number;
  unansweredBytes: number;
}

/**
 * Bounds the bytes of requests that all connections hold together. Requests that are whole are answered some time, and
 * reading waits for that; a frame that never ends would keep its bytes for ever, so the largest of those has to go.
 */
export class RequestMemory {
  readonly #limitBytes: number;
  readonly #held = new Map<Holder, Held>();
  #totalBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get isFull(): boolean {
    return this.#totalBytes > this.#limitBytes;
  }

  /** Notes what the holder has now, in place of what it had. */
  hold(holder: Holder, held: Held): void {
    const former = this.#held.get(holder);
    this.#totalBytes += sizeOf(held) - (former === undefined ? 0 : sizeOf(former));
    if (former === undefined) this.#held.set(holder, held);
    else Object.assign(former, held);
    if (this.isFull) this.#largestUnfinished()?.giveUp(this.#reason());
  }

  release(holder: Holder): void {
    const former = this.#held.get(holder);
    if (former === undefined) return;
    this.#totalBytes -= sizeOf(former);
    this.#held.delete(holder);
  }

  #largestUnfinished(): Holder | undefined {
    let largest: Holder | undefined;
    let mostBytes = 0;
    for (const [holder, { unfinishedBytes }] of this.#held) {
      if (unfinishedBytes <= mostBytes) continue;
      largest = holder;
      mostBytes = unfinishedBytes;
    }
    return largest;
  }

  #reason(): string {
    return `requests hold ${this.#totalBytes} bytes, more than ${this.#limitBytes}, and this connection's unfinished one the most`;
  }
}

function sizeOf({ unfinishedBytes, unansweredBytes }: Held): number {
  return unfinishedBytes + unansweredBytes;
}
