import { setImmediate } from 'node:timers/promises';
import { RecordBatchBuilder } from '@tickfold/kafka-protocol';
import type { ReadResult } from '@tickfold/log-engine';
import { expect, test } from 'vitest';
import { ReadAhead } from './read-ahead.ts';

const MAX_BYTES = 1_000;

/** A log of which each read gives one batch of one record, at the offset that was asked for. */
class FakeLog {
  readonly asked: bigint[] = [];
  readonly buffers: Buffer[] = [];
  highWatermark = 100n;
  logStartOffset = 0n;

  get lastStableOffset(): bigint {
    return this.highWatermark;
  }

  async read(offset: bigint, _maxBytes: number, _isolation: unknown, into = Buffer.alloc(200)): Promise<ReadResult> {
    this.asked.push(offset);
    this.buffers.push(into);
    const { highWatermark, lastStableOffset, logStartOffset } = this;
    const ends = { highWatermark, lastStableOffset, logStartOffset };
    return { batches: offset < highWatermark ? [batchAt(offset, into)] : [], ...ends, abortedTransactions: [] };
  }
}

function batchAt(offset: bigint, into: Buffer): Buffer {
  const builder = new RecordBatchBuilder(200);
  builder.append(null, Buffer.from('v'), 0);
  const batch = builder.finish();
  batch.writeBigInt64BE(offset, 0);
  batch.copy(into);
  return into.subarray(0, batch.length);
}

function readerOf(ahead: ReadAhead, log: FakeLog) {
  const connection = new AbortController();
  let sent: (() => void)[] = [];
  const reader = { signal: connection.signal, onSent: (listener: () => void) => void sent.push(listener) };
  return {
    read: (offset: bigint) => ahead.read(reader, log, offset, MAX_BYTES, 'uncommitted'),
    /** The answer goes out; what is read ahead is begun after that. */
    async send() {
      for (const listener of sent) listener();
      sent = [];
      await setImmediate();
    },
    close: () => connection.abort(),
  };
}

test('what a client asks for next is read when it does, and not again', async () => {
  const log = new FakeLog();
  const { read, send } = readerOf(new ReadAhead(), log);
  await read(0n);
  await send();
  expect(log.asked).toEqual([0n, 1n]);
  const { batches } = await read(1n);
  expect([batches[0]!.subarray(0, 8), log.asked]).toEqual([Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), [0n, 1n]]);
});

test('a client that goes on elsewhere is read for there', async () => {
  const log = new FakeLog();
  const { read, send } = readerOf(new ReadAhead(), log);
  await read(0n);
  await send();
  await read(7n);
  expect(log.asked).toEqual([0n, 1n, 7n]);
});

test('what was read ahead up to the end is read again when the log has grown, or has lost it', async () => {
  for (const change of [{ highWatermark: 3n }, { logStartOffset: 2n }]) {
    const log = Object.assign(new FakeLog(), { highWatermark: 2n });
    const { read, send } = readerOf(new ReadAhead(), log);
    await read(0n);
    await send();
    Object.assign(log, change);
    await read(1n);
    expect(log.asked).toEqual([0n, 1n, 1n]);
  }
});

test('at the end of the log nothing is read ahead', async () => {
  const log = Object.assign(new FakeLog(), { highWatermark: 1n });
  const { read, send } = readerOf(new ReadAhead(), log);
  await read(0n);
  await send();
  expect(log.asked).toEqual([0n]);
});

test('a buffer is used again when the answer that lay in it is sent, and not before', async () => {
  const log = Object.assign(new FakeLog(), { highWatermark: 1n });
  const { read, send } = readerOf(new ReadAhead(), log);
  await read(0n);
  await read(0n);
  await send();
  await read(0n);
  const [first, second, third] = log.buffers;
  expect([first !== second, third === first || third === second]).toEqual([true, true]);
});

test('what is read ahead is bounded over all connections, and goes with them', async () => {
  const ahead = new ReadAhead();
  const maxBytes = 2 * 1024 * 1024;
  const log = new FakeLog();
  const connections = Array.from({ length: 20 }, () => new AbortController());
  for (const { signal } of connections) {
    await ahead.read({ signal, onSent: () => undefined }, log, 0n, maxBytes, 'uncommitted');
  }
  await setImmediate();
  expect(ahead.heldBytes).toBe(16 * 1024 * 1024);
  for (const connection of connections) connection.abort();
  expect(ahead.heldBytes).toBe(0);
});
