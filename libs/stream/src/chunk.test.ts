import { RecordBatchBuilder } from '@tickfold/kafka-protocol';
import { expect, test } from 'vitest';
import { BatchChunk } from './chunk.ts';

function batchOf(baseOffset: bigint, values: string[]): Buffer {
  const builder = new RecordBatchBuilder();
  for (const value of values) builder.append('key', value, 0, { kind: 'trade' });
  return builder.finish({ baseOffset });
}

const valuesOf = (chunk: BatchChunk) => Array.from(chunk.records(), (record) => record.value!.toString());

test('records before the offset that was asked for are skipped', () => {
  const bytes = Buffer.concat([batchOf(10n, ['a', 'b', 'c']), batchOf(13n, ['d'])]);
  const chunk = new BatchChunk('t', 2, 12n, 14n, [bytes]);
  expect(valuesOf(chunk)).toEqual(['c', 'd']);
  expect(chunk.nextOffset).toBe(14n);
});

test('a record knows its topic, partition, offset and headers', () => {
  const [record] = [...new BatchChunk('t', 2, 5n, 6n, [batchOf(5n, ['a'])]).records()];
  expect(record).toMatchObject({ topic: 't', partition: 2, offset: 5n, timestampMs: 0 });
  expect(record!.header('kind')).toBe('trade');
  expect(record!.headers()).toEqual([{ key: 'kind', value: Buffer.from('trade') }]);
});

test('the marks that end transactions are no records', () => {
  const mark = new RecordBatchBuilder();
  mark.append('commit', null, 0);
  const bytes = Buffer.concat([
    batchOf(0n, ['a']),
    mark.finish({ baseOffset: 1n, isTransactional: true, isControl: true }),
  ]);
  const chunk = new BatchChunk('t', 0, 0n, 2n, [bytes]);
  expect(valuesOf(chunk)).toEqual(['a']);
  expect(chunk.nextOffset).toBe(2n);
});

test('a flipped bit is found by the CRC, and topic, partition and offset are named', () => {
  const bytes = batchOf(7n, ['a']);
  bytes[bytes.length - 3]! ^= 1;
  expect(() => new BatchChunk('market.ticks', 1, 7n, 8n, [bytes])).toThrow(
    expect.objectContaining({
      code: 'corrupt-batch',
      message: "'market.ticks' partition 1: the CRC of the batch at offset 7 is wrong",
    }),
  );
});

test('an answer that holds no whole batch is an error, not an endless loop', () => {
  expect(() => new BatchChunk('t', 0, 0n, 1n, [batchOf(0n, ['a']).subarray(0, 65)])).toThrow('no whole batch');
});
