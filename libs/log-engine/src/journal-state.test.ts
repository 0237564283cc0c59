import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ControlRecord } from './control-record.ts';
import { JournalState } from './journal-state.ts';

const topic = fc.constantFrom('a', 'b', 'c');
const group = fc.constantFrom('g', 'h');
const records = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('topic-created' as const),
      name: topic,
      id: fc.constant('00'),
      partitionIds: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }),
      settings: fc.constant({}),
    }),
    fc.record({ kind: fc.constant('topic-deleted' as const), name: topic }),
    fc.record({
      kind: fc.constant('offsets-committed' as const),
      group,
      offsets: fc.array(
        fc.tuple(topic, fc.nat(2), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String), fc.nat(3), fc.string()),
        { minLength: 1, maxLength: 4 },
      ),
    }),
    fc.record({ kind: fc.constant('offsets-deleted' as const), group }),
    fc.record({
      kind: fc.constant('partition-offsets-deleted' as const),
      group,
      partitions: fc.array(fc.tuple(topic, fc.nat(2)), { maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant('topic-offsets-deleted' as const), topic }),
  ),
);

function fold(state: JournalState, list: ControlRecord[]): JournalState {
  for (const record of list) state.apply(record);
  return state;
}

test('a checkpoint stands for all records before it, wherever it is taken', () => {
  fc.assert(
    fc.property(records, records, (before, after) => {
      const whole = fold(new JournalState('synced'), [...before, ...after]);
      const checkpoint = JSON.parse(JSON.stringify(fold(new JournalState('synced'), before).toCheckpoint([])));
      const resumed = fold(JournalState.fromCheckpoint(checkpoint), after);
      expect(resumed.toCheckpoint([])).toEqual(whole.toCheckpoint([]));
    }),
  );
});

test('a deleted topic takes its group offsets with it', () => {
  const state = fold(new JournalState('synced'), [
    { kind: 'topic-created', name: 'a', id: '00', partitionIds: [0], settings: {} },
    { kind: 'offsets-committed', group: 'g', offsets: [['a', 0, '5', 0, '']] },
    { kind: 'topic-deleted', name: 'a' },
  ]);
  expect(state.groups()).toEqual([]);
  expect(state.nextPartitionId).toBe(1);
});

test('a group that lost the last of its offsets is gone; others keep theirs', () => {
  const state = fold(new JournalState('synced'), [
    ...['g', 'h'].map((each): ControlRecord => {
      return {
        kind: 'offsets-committed',
        group: each,
        offsets: [
          ['a', 0, '5', 0, ''],
          ['a', 1, '6', 0, ''],
        ],
      };
    }),
    {
      kind: 'partition-offsets-deleted',
      group: 'g',
      partitions: [
        ['a', 0],
        ['a', 1],
        ['b', 0],
      ],
    },
    { kind: 'partition-offsets-deleted', group: 'h', partitions: [['a', 1]] },
  ]);
  expect(state.groups()).toEqual(['h']);
  expect(state.offsetsOf('h')).toEqual([['a', 0, '5', 0, '']]);
});
