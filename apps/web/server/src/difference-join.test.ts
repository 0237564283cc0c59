import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decision } from '../test/records.ts';
import { DifferenceJoin, MAX_AHEAD, MAX_DIFFERENCES } from './difference-join.ts';

type Action = 'buy' | 'sell' | 'hold';

function seen(model: string, inputOffset: number, action: Action, partition = 0) {
  return {
    model,
    partition,
    inputOffset: BigInt(inputOffset),
    source: `day:${inputOffset}`,
    decision: decision({ action }),
  };
}

test('a tick on which the actions differ is found as soon as both versions have decided it', () => {
  const join = new DifferenceJoin(['a', 'b']);
  join.add(seen('a', 5, 'buy'));
  expect(join.newest()).toEqual([]);
  join.add(seen('b', 5, 'hold'));
  expect(join.newest()).toMatchObject([
    {
      id: '0-5',
      source: 'day:5',
      sides: [
        { model: 'a', action: 'buy' },
        { model: 'b', action: 'hold' },
      ],
    },
  ]);
  expect(join.find('0-5')?.decisions.map((side) => side?.action)).toEqual(['buy', 'hold']);
});

test('the same action is no difference, whatever the reasons', () => {
  const join = new DifferenceJoin(['a', 'b']);
  join.add(seen('a', 5, 'hold'));
  join.add({ ...seen('b', 5, 'hold'), decision: decision({ reason: 'small_trade' }) });
  expect(join).toMatchObject({ compared: 1, total: 0 });
});

test('a tick that one version passed without a decision counts as none', () => {
  const join = new DifferenceJoin(['a', 'b']);
  join.add(seen('a', 5, 'buy'));
  join.add(seen('b', 6, 'hold'));
  expect(join.find('0-5')?.sides).toEqual([
    { model: 'a', action: 'buy' },
    { model: 'b', action: 'none' },
  ]);
});

test('a cursor past the tick settles it without a further decision', () => {
  const join = new DifferenceJoin(['a', 'b']);
  join.add(seen('a', 5, 'buy'));
  join.advance('b', 0, 5n);
  expect(join.total).toBe(0);
  join.advance('b', 0, 6n);
  expect(join.total).toBe(1);
});

test('a decision that is read again after a reconnect counts once', () => {
  const join = new DifferenceJoin(['a', 'b']);
  for (const each of [seen('a', 1, 'buy'), seen('a', 1, 'buy'), seen('b', 1, 'hold'), seen('b', 1, 'hold')])
    join.add(each);
  expect(join).toMatchObject({ compared: 1, total: 1 });
});

test('only the newest differences are kept, and all are counted', () => {
  const join = new DifferenceJoin(['a', 'b']);
  for (let offset = 0; offset < MAX_DIFFERENCES + 10; offset += 1) {
    join.add(seen('a', offset, 'buy'));
    join.add(seen('b', offset, 'sell'));
  }
  expect(join.total).toBe(MAX_DIFFERENCES + 10);
  expect(join.newest()).toHaveLength(MAX_DIFFERENCES);
  expect(join.newest()[0]?.id).toBe(`0-${MAX_DIFFERENCES + 9}`);
  expect(join.find('0-0')).toBeUndefined();
});

test('a reader that runs ahead waits until the other model has caught up', async () => {
  const join = new DifferenceJoin(['a', 'b']);
  for (let offset = 0; offset < MAX_AHEAD; offset += 1) join.add(seen('a', offset, 'hold'));
  const room = join.roomFor('a', 0);
  expect(room).toBeInstanceOf(Promise);
  expect(join.roomFor('b', 0)).toBeUndefined();
  expect(join.roomFor('a', 1)).toBeUndefined();
  join.add(seen('b', 0, 'hold'));
  await room;
  expect(join.roomFor('a', 0)).toBeUndefined();
});

test('a reader that is to end does not wait for the other model', async () => {
  const join = new DifferenceJoin(['a', 'b']);
  for (let offset = 0; offset < MAX_AHEAD; offset += 1) join.add(seen('a', offset, 'hold'));
  const room = join.roomFor('a', 0);
  join.wakeReaders();
  await expect(room).resolves.toBeUndefined();
});

test('a single version is compared with nothing', () => {
  const join = new DifferenceJoin(['a']);
  join.add(seen('a', 1, 'buy'));
  expect(join.total).toBe(0);
});

test('whatever order the two streams arrive in, the differences are those of a plain comparison', () => {
  const stream = fc.dictionary(
    fc.integer({ min: 0, max: 30 }).map(String),
    fc.constantFrom<Action>('buy', 'sell', 'hold'),
  );
  fc.assert(
    fc.property(stream, stream, fc.array(fc.boolean(), { minLength: 70, maxLength: 70 }), (left, right, turns) => {
      const join = new DifferenceJoin(['a', 'b']);
      const queues = { a: ascending(left), b: ascending(right) };
      for (const turn of turns) {
        const model = (turn && queues.a.length > 0) || queues.b.length === 0 ? 'a' : 'b';
        const next = queues[model].shift();
        if (next) join.add(seen(model, next[0], next[1]));
      }
      join.advance('a', 0, 100n);
      join.advance('b', 0, 100n);

      const offsets = [...new Set([...Object.keys(left), ...Object.keys(right)])];
      const differing = offsets.filter((offset) => left[offset] !== right[offset]).map((offset) => `0-${offset}`);
      expect(
        join
          .newest()
          .map(({ id }) => id)
          .sort(),
      ).toEqual(differing.sort());
      expect(join.compared).toBe(offsets.length);
    }),
  );
});

function ascending(stream: Record<string, Action>): [number, Action][] {
  return Object.entries(stream)
    .map(([offset, action]): [number, Action] => [Number(offset), action])
    .sort(([a], [b]) => a - b);
}
