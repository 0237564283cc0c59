import type { LogEngine, PartitionLog } from '@tickfold/log-engine';
import { expect, test } from 'vitest';
import { Following } from './following.ts';

/** A partition that can be moved, and counts how often its end was looked at. */
class FakeLog {
  readonly listeners = new Set<() => void>();
  looks = 0;
  #end = 0n;

  get highWatermark(): bigint {
    this.looks++;
    return this.#end;
  }

  readonly lastStableOffset = 0n;

  onVisible(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  move(): void {
    this.#end++;
    for (const listener of this.listeners) listener();
  }
}

function followingOf(logs: FakeLog[]): Following {
  const engine = { partition: (_: string, index: number) => logs[index] as unknown as PartitionLog } as LogEngine;
  const following = new Following(engine);
  for (const index of logs.keys()) following.follow('t', index, 0n, 1);
  for (const followed of following.takeMoved()) {
    following.find(followed);
    followed.seen = { highWatermark: followed.log!.highWatermark, lastStableOffset: 0n, logStartOffset: 0n };
  }
  return following;
}

const indexesOf = (following: Following) => following.takeMoved().map(({ index }) => index);
const signal = new AbortController().signal;
const soon = { waitMs: 25_000, gatherMs: 0, signal };

test('once partitions are watched, only those that move are looked at again', async () => {
  const logs = Array.from({ length: 100 }, () => new FakeLog());
  const following = followingOf(logs);
  following.watch('uncommitted');
  for (const log of logs) log.looks = 0;
  for (const index of [7, 3]) {
    const waiting = following.news(soon);
    logs[index]!.move();
    await waiting;
    following.watch('uncommitted');
    expect(indexesOf(following)).toEqual([index]);
  }
  expect(logs.map(({ looks }) => looks).filter((looks) => looks > 0)).toEqual([]);
});

test('a partition that moved after it was looked at, and before it was watched, is noticed', () => {
  const logs = [new FakeLog(), new FakeLog()];
  const following = followingOf(logs);
  logs[1]!.move();
  following.watch('uncommitted');
  expect(indexesOf(following)).toEqual([1]);
});

test('what is left is watched no longer, and not again by a request that is still at it', () => {
  const logs = [new FakeLog(), new FakeLog()];
  const following = followingOf(logs);
  following.watch('uncommitted');
  const [first, second] = [...following.all()];
  following.leave('t', 0);
  following.find(first!);
  following.lookAgain([first!]);
  expect([logs[0]!.listeners.size, indexesOf(following)]).toEqual([0, []]);
  following.end();
  following.find(second!);
  expect(logs[1]!.listeners.size).toBe(0);
});

test('a partition that was made anew is watched in place of the former one', () => {
  const logs = [new FakeLog()];
  const former = logs[0]!;
  const following = followingOf(logs);
  following.watch('uncommitted');
  logs[0] = new FakeLog();
  former.move();
  for (const followed of following.takeMoved()) following.find(followed);
  expect([former.listeners.size, logs[0]!.listeners.size]).toEqual([0, 1]);
});
