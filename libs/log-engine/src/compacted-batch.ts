import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  BATCH_HEADER_BYTES,
  RecordBatch,
  RecordBatchError,
  RecordCursor,
  readBatchHeader,
} from '@tickfold/kafka-protocol';
import { finishBatch, setGzip } from './batch-header.ts';

const packed = promisify(gzip);

/** Tells the records of a batch apart: the key as text that no other key has, undefined for none. */
export interface RecordPlace {
  key: string | undefined;
  offset: number;
  /** True for a record without a value: it deletes its key. */
  isTombstone: boolean;
}

/**
 * Walks over a batch's records; `undefined` when they cannot be unpacked here: a compression that is not known, or
 * records that are badly encoded.
 */
export function recordPlaces(bytes: Buffer): RecordPlace[] | undefined {
  return walked(bytes)?.records.map(({ key, offset, isTombstone }) => ({ key, offset, isTombstone }));
}

/**
 * The batch with only those records, at the offsets that they had; its first and last offset stay too, and all else in
 * its header. The same bytes when all stay, `undefined` when none does.
 */
export async function withOnly(bytes: Buffer, stays: (record: RecordPlace) => boolean): Promise<Buffer | undefined> {
  const batch = walked(bytes);
  if (batch === undefined) return bytes;
  const kept = batch.records.filter(stays);
  if (kept.length === batch.records.length) return bytes;
  if (kept.length === 0) return undefined;
  const records = Buffer.concat(kept.map(({ raw }) => raw));
  const header = Buffer.from(bytes.subarray(0, BATCH_HEADER_BYTES));
  // Every client reads gzip, and Node.js packs it.
  if (batch.isPacked) setGzip(header);
  return finishBatch(Buffer.concat([header, batch.isPacked ? await packed(records) : records]), kept.length);
}

function walked(bytes: Buffer): { records: (RecordPlace & { raw: Buffer })[]; isPacked: boolean } | undefined {
  const header = readBatchHeader(bytes);
  const baseOffset = Number(header.baseOffset);
  try {
    const cursor = new RecordCursor(new RecordBatch(header, bytes));
    const records = [];
    for (let start = cursor.recordEnd; cursor.next(); start = cursor.recordEnd) {
      records.push({
        key: cursor.keyStart < 0 ? undefined : cursor.bytes.toString('latin1', cursor.keyStart, cursor.keyEnd),
        offset: baseOffset + cursor.offsetDelta,
        isTombstone: cursor.valueStart < 0,
        raw: cursor.bytes.subarray(start, cursor.recordEnd),
      });
    }
    return { records, isPacked: header.compression !== 'none' };
  } catch (error) {
    if (error instanceof RecordBatchError) return undefined;
    throw error;
  }
}
