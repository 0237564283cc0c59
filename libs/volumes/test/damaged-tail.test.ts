import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LogEngine, openLogEngine } from '@tickfold/log-engine';
import { firstOffsetWhere, type StreamClient } from '@tickfold/stream';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { inProcessClient, readRange } from '../src/index.ts';
import { removeFolders, temporaryFolder } from './temporary-folder.ts';

const SEGMENT_BYTES = 64 * 1024;

let dataDir: string;
let engine: LogEngine;
let client: StreamClient;

beforeEach(async () => {
  dataDir = await temporaryFolder();
  await open();
  await client.admin.ensureTopics([{ name: 'v.t', partitionCount: 2 }]);
});
afterEach(() => engine.close());
afterAll(removeFolders);

async function open(): Promise<void> {
  engine = await openLogEngine({ dataDir, segmentBytes: SEGMENT_BYTES });
  client = inProcessClient(engine, engine);
}

/** Each value a batch of its own. */
async function produce(partition: number, values: string[]): Promise<void> {
  for (const [i, value] of values.entries()) {
    const producer = client.producer();
    await producer.send({ topic: 'v.t', partition, key: null, value: Buffer.from(value), timestampMs: i });
    await producer.close();
  }
}

/** Partition 0 with these values, on a disk that has flipped a bit in each of those that begin with `damaged`. */
async function reopenedWith(values: string[]): Promise<void> {
  await produce(0, values);
  // The newest segment is cut where it is damaged: what is to stay in the log's range has to lie in one before it.
  await produce(1, ['x'.repeat(SEGMENT_BYTES), 'y']);
  await engine.close();
  const folder = join(dataDir, 'v');
  const segments = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.segment'),
  );
  let flipped = 0;
  for (const path of segments.map((segment) => join(folder, segment))) {
    const bytes = readFileSync(path);
    for (let at = bytes.indexOf('damaged'); at >= 0; at = bytes.indexOf('damaged', at)) {
      bytes[at]! ^= 1;
      flipped++;
    }
    writeFileSync(path, bytes);
  }
  expect(flipped).toBe(values.filter((value) => value.startsWith('damaged')).length);
  await open();
}

async function read(fromOffset?: bigint, toOffset?: bigint): Promise<string[]> {
  const values: string[] = [];
  for await (const chunk of readRange(client, { topic: 'v.t', partition: 0, fromOffset, toOffset })) {
    for (const { value } of chunk.records()) values.push(String(value));
  }
  return values;
}

test('where the last batches are damaged, what is before them is read to its end, and nothing waits for more', async () => {
  await reopenedWith(['a', 'damaged 1', 'b', 'damaged 2', 'damaged 3', 'damaged 4']);
  expect((await client.admin.watermarks('v.t'))[0]).toMatchObject({ logStart: 0n, high: 6n });
  expect(await client.lastRecord('v.t', 0)).toMatchObject({ offset: 2n });
  expect(await read()).toEqual(['a', 'b']);
  expect(await read(1n, 4n)).toEqual(['b']);
  expect(await read(0n, 2n)).toEqual(['a']);
  expect(await read(3n)).toEqual([]);
  expect(await firstOffsetWhere(client, 'v.t', 0, ({ offset }) => offset >= 1n)).toBe(2n);
  expect(await firstOffsetWhere(client, 'v.t', 0, () => false)).toBe(6n);
});

test('a partition of which everything is damaged reads as empty', async () => {
  await reopenedWith(['damaged 1', 'damaged 2']);
  expect(await client.lastRecord('v.t', 0)).toBeUndefined();
  expect(await read()).toEqual([]);
  expect(await firstOffsetWhere(client, 'v.t', 0, () => true)).toBe(2n);
});
