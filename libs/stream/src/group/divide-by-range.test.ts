import fc from 'fast-check';
import { expect, test } from 'vitest';
import { divideByRange } from './divide-by-range.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './messages.ts';

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 });

test('each partition has one reader, and shares of a topic differ by one partition at most', () => {
  fc.assert(
    fc.property(names, names, fc.nat(40), (memberIds, topics, partitionCount) => {
      const members = memberIds.map((memberId) => ({ memberId, topics }));
      const divided = divideByRange(members, new Map(topics.map((topic) => [topic, partitionCount])));
      for (const topic of topics) {
        const shares = [...divided.values()].map((share) => share.get(topic) ?? []);
        expect(shares.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: partitionCount }, (_, i) => i));
        const sizes = shares.map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test('the first members by name get one partition more, as with the Java client', () => {
  const members = ['b', 'a', 'c'].map((memberId) => ({ memberId, topics: ['t'] }));
  expect(divideByRange(members, new Map([['t', 7]]))).toEqual(
    new Map([
      ['b', new Map([['t', [3, 4]]])],
      ['a', new Map([['t', [0, 1, 2]]])],
      ['c', new Map([['t', [5, 6]]])],
    ]),
  );
});

test('a member gets nothing of a topic that it does not read', () => {
  const members = [
    { memberId: 'a', topics: ['t'] },
    { memberId: 'b', topics: ['u'] },
  ];
  const divided = divideByRange(members, new Map(['t', 'u'].map((topic) => [topic, 1])));
  expect([...divided.get('a')!.keys(), ...divided.get('b')!.keys()]).toEqual(['t', 'u']);
});

test('what members tell each other comes back as it was', () => {
  fc.assert(
    fc.property(names, fc.array(fc.nat(2 ** 31 - 1)), (topics, partitions) => {
      expect(decodeSubscription(encodeSubscription(topics))).toEqual(topics);
      const assignment = new Map(topics.map((topic) => [topic, partitions]));
      expect(decodeAssignment(encodeAssignment(assignment))).toEqual(assignment);
    }),
  );
});

test('a message that ends too early is refused with a mend', () => {
  const bytes = encodeSubscription(['topic']);
  expect(() => decodeSubscription(bytes.subarray(0, 8))).toThrow(expect.objectContaining({ code: 'rejected' }));
  expect(decodeAssignment(Buffer.alloc(0))).toEqual(new Map());
});
