import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProducerBatch } from './producer-batches.ts';
import { ProducerTable } from './producer-table.ts';

const SEQUENCES = 2 ** 31;

interface Sent {
  producerId: number;
  epoch: number;
  first: number;
  count: number;
}

function batchOf({ producerId, epoch, first, count }: Sent): ProducerBatch {
  const lastSequence = (first + count - 1) % SEQUENCES;
  return { producerId, epoch, firstSequence: first, lastSequence, isTransactional: false };
}

/** The rules told plainly, over everything that was ever appended. */
class Model {
  readonly log: (Sent & { at: number })[] = [];

  judge(sent: Sent): 'append' | 'producer-fenced' | 'out-of-order-sequence' | number {
    const own = this.log.filter(({ producerId }) => producerId === sent.producerId);
    const latest = own.at(-1);
    if (latest === undefined) return 'append';
    if (sent.epoch < latest.epoch) return 'producer-fenced';
    if (sent.epoch > latest.epoch) return sent.first === 0 ? 'append' : 'out-of-order-sequence';
    const lastFive = own.filter(({ epoch }) => epoch === sent.epoch).slice(-5);
    const original = lastFive.find(({ first, count }) => first === sent.first && count === sent.count);
    if (original !== undefined) return original.at;
    const next = (latest.first + latest.count) % SEQUENCES;
    return sent.first === next ? 'append' : 'out-of-order-sequence';
  }
}

const attempt = fc.record({
  producerId: fc.constantFrom(7, 8),
  epoch: fc.nat(2),
  count: fc.integer({ min: 1, max: 3 }),
  /** Where it begins: so far behind what would be next, or at 0, or at the last sequences of all. */
  behind: fc.constantFrom(0, 0, 0, 1, 2, 3, 5, 8, -1),
  from: fc.constantFrom('next', 'next', 'next', 'zero', 'wrap'),
});

test('every batch is judged as by a plain model of all that was appended, also after rows were written and read', () => {
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 60 }), (attempts) => {
      const model = new Model();
      let table = new ProducerTable();
      for (const { producerId, epoch, count, behind, from } of attempts) {
        const latest = model.log.filter((sent) => sent.producerId === producerId).at(-1);
        const next = latest === undefined ? 0 : latest.first + latest.count;
        const starts = { next: (next - behind + SEQUENCES) % SEQUENCES, zero: 0, wrap: SEQUENCES - 2 };
        const sent = { producerId, epoch, first: starts[from as keyof typeof starts], count };
        const expected = model.judge(sent);
        if (expected === 'append') {
          expect(table.check([batchOf(sent)])).toBeUndefined();
          const at = model.log.length * 10;
          table.add(batchOf(sent), at, at + count - 1, 5);
          model.log.push({ ...sent, at });
        } else if (typeof expected === 'number') {
          expect(table.check([batchOf(sent)])).toMatchObject([{ baseOffset: expected }]);
        } else {
          expect(() => table.check([batchOf(sent)])).toThrow(expect.objectContaining({ code: expected }));
        }
        table = ProducerTable.fromRows(JSON.parse(JSON.stringify(table.toRows())));
      }
    }),
    { numRuns: 300 },
  );
});

test('of batches that come together, all follow on one another and are new, or all are there', () => {
  const table = new ProducerTable();
  const [first, second, third] = [0, 2, 4].map((sequence) =>
    batchOf({ producerId: 7, epoch: 0, first: sequence, count: 2 }),
  ) as [ProducerBatch, ProducerBatch, ProducerBatch];
  expect(table.check([first, second])).toBeUndefined();
  expect(() => table.check([first, third])).toThrow(expect.objectContaining({ code: 'out-of-order-sequence' }));
  expect(table.size).toBe(0);
  table.add(first, 0, 1, 5);
  table.add(second, 2, 3, 6);
  expect(table.check([first, second])).toMatchObject([{ baseOffset: 0 }, { baseOffset: 2 }]);
  expect(() => table.check([second, third])).toThrow(expect.objectContaining({ code: 'out-of-order-sequence' }));
});

test('more batches than are kept, which came together, are known when they come again', () => {
  const table = new ProducerTable();
  const batches = Array.from({ length: 9 }, (_, i) => batchOf({ producerId: 7, epoch: 0, first: 3 * i, count: 3 }));
  expect(table.check(batches)).toBeUndefined();
  for (const [i, batch] of batches.entries()) table.add(batch, 100 + 3 * i, 102 + 3 * i, 5);
  expect(table.check(batches)?.map(({ baseOffset }) => baseOffset)).toEqual(batches.map((_, i) => 100 + 3 * i));
  const others = [...batches.slice(0, 8), batchOf({ producerId: 7, epoch: 0, first: 27, count: 3 })];
  expect(() => table.check(others)).toThrow(expect.objectContaining({ code: 'out-of-order-sequence' }));
  expect(table.check([batchOf({ producerId: 7, epoch: 0, first: 27, count: 3 })])).toBeUndefined();
});

test('a marker of a higher epoch fences the lower ones, and the next batch begins at 0', () => {
  const table = new ProducerTable();
  table.add(batchOf({ producerId: 7, epoch: 0, first: 0, count: 5 }), 0, 4, 5);
  table.addMarker(7, 1, 6);
  const late = batchOf({ producerId: 7, epoch: 0, first: 5, count: 1 });
  expect(() => table.check([late])).toThrow(expect.objectContaining({ code: 'producer-fenced' }));
  expect(table.check([batchOf({ producerId: 7, epoch: 1, first: 0, count: 1 })])).toBeUndefined();
});

test('a producer that appended nothing for long is forgotten, unless it is to be kept', () => {
  const table = new ProducerTable();
  for (const producerId of [7, 8, 9])
    table.add(batchOf({ producerId, epoch: 0, first: 0, count: 1 }), 0, 0, producerId);
  table.expire(9, (producerId) => producerId === 8);
  expect([7, 8, 9].map((producerId) => table.epochOf(producerId))).toEqual([undefined, 0, 0]);
});
