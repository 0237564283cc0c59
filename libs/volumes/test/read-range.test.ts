import { type LogEngine, openLogEngine } from '@tickfold/log-engine';
import type { StreamClient } from '@tickfold/stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inProcessClient, type ReadRange, readRange } from '../src/index.ts';
import { removeFolders, temporaryFolder } from './temporary-folder.ts';

let engine: LogEngine;
let client: StreamClient;

beforeAll(async () => {
  engine = await openLogEngine({ dataDir: await temporaryFolder() });
  client = inProcessClient(engine, engine);
  await client.admin.ensureTopics([{ name: 't', partitionCount: 2 }]);
  const producer = client.producer({ batchBytes: 300 });
  for (let i = 0; i < 50; i++) {
    await producer.send({ topic: 't', partition: 0, key: null, value: Buffer.from(`${i}`), timestampMs: i });
  }
  await producer.close();
});
afterAll(async () => {
  await engine.close();
  await removeFolders();
});

async function read(range: Partial<ReadRange> = {}): Promise<number[]> {
  const offsets: number[] = [];
  for await (const chunk of readRange(client, { topic: 't', partition: 0, ...range })) {
    for (const { offset } of chunk.records()) offsets.push(Number(offset));
    expect(chunk.nextOffset).toBe(BigInt(offsets.at(-1)! + 1));
  }
  return offsets;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test.each([
  ['everything', {}, numbers(0, 50)],
  ['from an offset', { fromOffset: 17n }, numbers(17, 50)],
  ['up to an offset', { toOffset: 23n }, numbers(0, 23)],
  ['a part inside of a batch', { fromOffset: 3n, toOffset: 4n }, [3]],
  ['no further than the end', { fromOffset: 48n, toOffset: 1000n }, [48, 49]],
  ['nothing of an empty range', { fromOffset: 20n, toOffset: 20n }, []],
  ['nothing at the end', { fromOffset: 50n }, []],
  ['nothing of an empty partition', { partition: 1 }, []],
])('reads %s, and ends', async (_what, range, expected) => {
  expect(await read(range)).toEqual(expected);
});

test('a partition that does not exist is an error', async () => {
  await expect(read({ partition: 2 })).rejects.toMatchObject({ code: 'unknown-topic' });
});
