import {
  analyticsGroup,
  type Decision,
  decisionSchema,
  type EquityMark,
  equityMarkSchema,
  headers,
  topics,
  volumeTopics,
} from '@tickfold/market';
import { connect, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { diffVolumes, EvaluationError, type VolumeDiff } from '../src/index.ts';

let broker: EmbeddedBroker;
let client: StreamClient;

beforeAll(async () => {
  broker = await startEmbeddedBroker();
  client = await connect({ brokers: [broker.address], clientId: 'test' });
});
afterAll(async () => {
  await client.close();
  await broker.stop();
});

interface Output {
  topic: 'decisions' | 'equity' | 'deadLetter';
  input?: string;
  source?: string;
  value?: Uint8Array;
}

const mark = (equityE4: number): Uint8Array => {
  const equity: EquityMark = { minuteMs: 0, cashE4: equityE4, positionValueE4: 0, equityE4, feesE4: 0, fills: 0 };
  return equityMarkSchema.encode(equity);
};

const decision = (target: number): Uint8Array => {
  const numbers = { signal: null, threshold: null, meanE4: null, deviationE4: null };
  const features = { changeBps: null, relativeVolume: null, vwapDeviation: null, sizePercentile: null };
  const decided: Decision = {
    symbol: 'BAC',
    eventTimeMs: 0,
    priceE4: 100,
    size: 1,
    action: target === 0 ? 'hold' : 'buy',
    reason: 'within_band',
    previousTarget: 0,
    target,
    ...numbers,
    ...features,
    parametersVersion: 'defaults',
  };
  return decisionSchema.encode(decided);
};

/** A volume as a model would leave it, except for what the test is about. */
async function write(volume: string, outputs: Output[], { partitionCount = 1, handled = 100n } = {}): Promise<void> {
  const names = volumeTopics(volume);
  const all = [names.decisions, names.fills, names.equity, names.deadLetter];
  await client.admin.ensureTopics(all.map((name) => ({ name, partitionCount })));
  const producer = client.producer();
  for (const { topic, input = '0', source = 'feed:1', value = mark(0) } of outputs) {
    const told = { [headers.source]: source, [headers.input]: input };
    const headersToWrite = input === '' ? {} : told;
    await producer.flush();
    await producer.send({
      topic: names[topic],
      partition: 0,
      key: null,
      value,
      timestampMs: 0,
      headers: headersToWrite,
    });
  }
  await producer.flush();
  await producer.close();
  await client.admin.ensureTopics([{ name: topics.enriched, partitionCount: 4 }]);
  await client.admin.commitOffsets(analyticsGroup(volume), topics.enriched, new Map([[0, handled]]));
}

const volume = (name: string) => ({ ref: name, volume: name, client });
const diff = (a: string, b: string): Promise<VolumeDiff> =>
  diffVolumes(volume(a), volume(b), { dataDir: broker.dataDir });

async function refusal(a: string, b: string): Promise<{ code: string; message: string; mend: string }> {
  const error = await diff(a, b).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EvaluationError);
  return error as EvaluationError;
}

test('two models of different ticks are not compared, but the first pair of other ticks is named', async () => {
  await write('monday', [{ topic: 'equity', source: 'monday:1', value: mark(0) }]);
  await write('tuesday', [{ topic: 'equity', source: 'tuesday:1', value: mark(1) }]);
  expect(await refusal('monday', 'tuesday')).toMatchObject({
    code: 'different-inputs',
    message: expect.stringMatching(/monday:1.*tuesday:1/),
  });
});

test('a side that was made from an input without its beginning is not compared with a whole one', async () => {
  await write('whole', [{ topic: 'equity' }, { topic: 'equity', input: '50' }]);
  await write('beheaded', [{ topic: 'equity', input: '50' }]);
  expect(await refusal('whole', 'beheaded')).toMatchObject({
    code: 'beginning-lost',
    message:
      'whole begins with tick 0 of partition 0, beheaded later: it was made from an input that had lost its beginning.',
  });
  expect((await diff('beheaded', 'beheaded')).equal).toBe(true);
});

test('a volume that outgrew its quota is not compared: its records without a partner would be no differences', async () => {
  const small = await startEmbeddedBroker({ engine: { volumeQuotaBytes: 1024 * 1024, segmentBytes: 128 * 1024 } });
  const before = client;
  client = await connect({ brokers: [small.address], clientId: 'test' });
  try {
    const filler = Buffer.alloc(10_000);
    const letters = Array.from(
      { length: 200 },
      (_, input): Output => ({ topic: 'deadLetter', input: `${input}`, value: filler }),
    );
    await write('kept', [{ topic: 'equity' }]);
    await write('outgrown', [{ topic: 'equity' }, ...letters]);
    expect(await refusal('kept', 'outgrown')).toMatchObject({
      code: 'beginning-lost',
      message: expect.stringMatching(/The first \d+ records of outgrown\.[a-z-]+, partition 0, are gone/),
      mend: expect.stringContaining('VOLUME_QUOTA_BYTES'),
    });
  } finally {
    await client.close();
    client = before;
    await small.stop();
  }
});

test('a volume that a model wrote is not compared with one that none did', async () => {
  await write('written', [{ topic: 'equity' }]);
  expect(await refusal('written', 'market')).toMatchObject({ code: 'not-comparable' });
  expect(await refusal('market', 'written')).toMatchObject({
    message: 'written was written by a model, market was not: there is nothing to compare.',
  });
});

test('volumes with other partition counts are not compared', async () => {
  await write('narrow', [{ topic: 'equity' }]);
  await write('wide', [{ topic: 'equity' }], { partitionCount: 2 });
  expect(await refusal('narrow', 'wide')).toMatchObject({
    code: 'not-comparable',
    message: expect.stringMatching(/1.*2/),
  });
});

test('a record that no model can have written is named with its place', async () => {
  await write('strange', [{ topic: 'equity', input: '' }]);
  expect(await refusal('strange', 'strange')).toMatchObject({
    code: 'unreadable-output',
    message: 'Offset 0 of strange.equity, partition 0, does not say which input it was made from.',
  });
  await write('odd', [{ topic: 'equity', input: '-5' }]);
  expect((await refusal('odd', 'odd')).message).toContain('"-5"');
  await write('garbled', [{ topic: 'equity' }, { topic: 'decisions', value: Buffer.from([1, 2, 3]) }]);
  expect((await refusal('garbled', 'garbled')).message).toMatch(
    /^Offset 0 of garbled.decisions, partition 0, cannot be read/,
  );
});

test('a decision that only one of the two holds, and one that differs, are counted by their kinds', async () => {
  const three = ['1', '2', '3'].map((input): Output => ({ topic: 'decisions', input, value: decision(0) }));
  await write('three', [{ topic: 'equity' }, ...three]);
  await write('two', [{ topic: 'equity' }, three[0]!, { ...three[2]!, value: decision(100) }]);
  const found = await diff('three', 'two');
  expect(found.kinds).toEqual([
    { kind: 'only-a', count: 1 },
    { kind: 'action', count: 1 },
  ]);
  expect(found.first).toMatchObject({ kind: 'only-a', inputOffset: '2', tick: null });
  expect(found.first!.b).toEqual({ decision: null, reason: 'Made no decision on this tick.' });
  expect(found.firstAction).toMatchObject({ kind: 'action', inputOffset: '3' });
  expect((await diff('two', 'three')).kinds[0]).toEqual({ kind: 'only-b', count: 1 });
});

test('money that no fill accounts for is shown as such', async () => {
  await write('fair', [{ topic: 'equity', value: mark(5) }]);
  await write('forged', [{ topic: 'equity', value: mark(12) }]);
  expect((await diff('fair', 'forged')).profit).toMatchObject({
    differenceE4: 7,
    parts: [{ kind: 'unattributed', amountE4: 7 }],
  });
});

test('other volumes are compared record by record, topic by topic', async () => {
  const fill = async (name: string, values: string[]) => {
    await client.admin.ensureTopics([{ name, partitionCount: 2 }]);
    const producer = client.producer();
    for (const value of values)
      await producer.send({ topic: name, partition: 1, key: 'k', value: Buffer.from(value), timestampMs: 1 });
    await producer.flush();
    await producer.close();
  };
  await fill('left.words', ['one', 'two', 'three']);
  await fill('right.words', ['one', 'other', 'three', 'four']);
  await fill('right.more', ['one']);
  expect(await diff('left', 'right')).toMatchObject({
    equal: false,
    topics: [
      { topic: 'more', recordsA: 0, recordsB: 1, differing: 1 },
      { topic: 'words', recordsA: 3, recordsB: 4, differing: 2 },
    ],
    profit: null,
  });
  expect((await diff('left', 'left')).equal).toBe(true);
});

test("somebody else's topics named runs and decisions say nothing about a volume, and do not hinder its comparison", async () => {
  const send = async (topic: string) => {
    await client.admin.ensureTopics([{ name: topic, partitionCount: 1 }]);
    const producer = client.producer();
    await producer.send({ topic, key: null, value: Buffer.from('{"order":1}'), timestampMs: 0 });
    await producer.close();
  };
  await send('orders.runs');
  await send('orders.decisions');
  expect(await diff('orders', 'orders')).toMatchObject({
    equal: true,
    a: { ref: 'orders', model: null, parametersVersion: null, input: null },
  });
  await write('posing', [{ topic: 'equity' }]);
  await send('posing.runs');
  expect(await refusal('posing', 'posing')).toMatchObject({
    code: 'unreadable-output',
    message: expect.stringMatching(/^Offset 0 of posing.runs, partition 0, cannot be read/),
  });
});

test('a comparison that is aborted says so', async () => {
  await write('long', [{ topic: 'equity' }]);
  const signal = AbortSignal.abort();
  const stopped = diffVolumes(volume('long'), volume('long'), { dataDir: broker.dataDir, signal });
  await expect(stopped).rejects.toMatchObject({ code: 'interrupted' });
});
