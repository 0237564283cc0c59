import { expect, test } from 'vitest';
import { RequestMemory } from './request-memory.ts';

class Holder {
  reason: string | undefined;
  readonly #memory: RequestMemory;

  constructor(memory: RequestMemory) {
    this.#memory = memory;
  }

  hold(unfinishedBytes: number, unansweredBytes = 0): void {
    this.#memory.hold(this, { unfinishedBytes, unansweredBytes });
  }

  giveUp(reason: string): void {
    this.reason = reason;
    this.#memory.release(this);
  }
}

test('when all hold too much, the largest request that is not whole goes, and no other', () => {
  const memory = new RequestMemory(100);
  const [small, large, whole] = [new Holder(memory), new Holder(memory), new Holder(memory)];
  small.hold(10);
  whole.hold(0, 50);
  large.hold(40);
  expect(large.reason).toBeUndefined();
  small.hold(11);
  expect([small.reason, whole.reason]).toEqual([undefined, undefined]);
  expect(large.reason).toContain('101 bytes, more than 100');
  expect(memory.isFull).toBe(false);
});

test('whole requests alone may pass the limit: nobody goes, but it is full until one is answered', () => {
  const memory = new RequestMemory(100);
  const [one, other] = [new Holder(memory), new Holder(memory)];
  one.hold(0, 60);
  other.hold(0, 60);
  expect(memory.isFull).toBe(true);
  expect([one.reason, other.reason]).toEqual([undefined, undefined]);
  one.hold(0, 0);
  expect(memory.isFull).toBe(false);
});
