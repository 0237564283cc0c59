import { headers, type Promotion, topics } from '@tickfold/market';
import { readPromotions, requestPromotion } from '@tickfold/promotion';
import { connect, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Progress, runDecisions } from '../src/run-decisions.ts';
import { command, decide, decisionsByAudit, liveDecisions, readAll } from './live-volume.ts';

let broker: EmbeddedBroker;
let client: StreamClient;

beforeEach(async () => {
  broker = await startEmbeddedBroker();
  client = await connect({ brokers: [broker.address], clientId: 'test' });
});
afterEach(async () => {
  await client.close();
  await broker.stop();
});

const patiently = { timeout: 20_000, interval: 20 };
const range = (from: number, until: number): number[] =>
  Array.from({ length: until - from }, (_, index) => from + index);
const brief = ({ action, champion, fromInput }: Promotion) => `${action} ${champion} [${fromInput}]`;
const models: [string, ...string[]] = ['a', 'b'];

/** The app, until `done` says so of its progress. */
async function runUntil(done: (progress: Progress) => boolean, running = models): Promise<Progress> {
  const stop = new AbortController();
  const own = await connect({ brokers: [broker.address], clientId: 'decisions' });
  let last: Progress | undefined;
  try {
    await runDecisions({
      client: own,
      models: running,
      signal: stop.signal,
      onProgress: (progress) => {
        last = progress;
        if (done(progress)) stop.abort();
      },
    });
  } finally {
    await own.close();
  }
  return last!;
}

test('the first of MODELS is the first champion, and its decisions are copied whole, with who decided', async () => {
  await decide(client, 2, { a: [3, 5], b: [3, 5] });
  const progress = await runUntil(({ decisions }) => decisions === 2);

  expect(progress).toMatchObject({ champion: 'a', rollsBackTo: null, decisions: 2, lag: 0, promotions: 1 });
  expect(await readPromotions(client)).toMatchObject([
    { commandId: null, action: 'initial', champion: 'a', previous: null, fromInput: [0, 0, 0, 0], reason: null },
  ]);
  const [first] = await readAll(client, topics.liveDecisions, 2);
  expect(first!.timestampMs).toBe(1_003);
  expect(Buffer.from(first!.key!).toString()).toBe('key 3');
  expect(Buffer.from(first!.value!).toString()).toBe('a on 3');
  expect(first!.headers().map(({ key, value }) => `${key}=${Buffer.from(value)}`)).toEqual([
    ...['source=sim:3', 'schema=decision/1', 'input=3', 'model=a'],
  ]);
});

test('a promotion and a rollback each count from the first input on that was not decided yet', async () => {
  await decide(client, 0, { a: range(0, 10), b: range(0, 10) });
  await decide(client, 1, { a: [0, 7], b: [0, 7] });
  const running = runUntil(({ decisions, champion }) => decisions === 32 && champion === 'a');
  await expect.poll(() => liveDecisions(client), patiently).toMatchObject([{ length: 10 }, { length: 2 }, [], []]);

  const promoted = await requestPromotion(client, { action: 'promote', model: 'b', by: 'ana' });
  expect(promoted).toMatchObject({ action: 'promote', champion: 'b', previous: 'a', by: 'ana' });
  await decide(client, 0, { a: range(10, 20), b: range(10, 20) });
  await expect.poll(async () => (await liveDecisions(client))[0], patiently).toMatchObject({ length: 20 });

  const rolledBack = await requestPromotion(client, { action: 'rollback', by: 'ana' });
  expect(rolledBack).toMatchObject({ action: 'rollback', champion: 'a', previous: 'b' });
  await decide(client, 0, { a: range(20, 30), b: range(20, 30) });
  await running;

  const audit = await readPromotions(client);
  expect(audit.map(brief)).toEqual(['initial a [0,0,0,0]', 'promote b [10,8,0,0]', 'rollback a [20,8,0,0]']);
  const live = await liveDecisions(client);
  expect(live).toEqual(await decisionsByAudit(client, audit));
  expect(live[0]!.map(({ model }) => model).join('')).toBe('a'.repeat(10) + 'b'.repeat(10) + 'a'.repeat(10));
});

test('a champion that is behind is waited for: nothing is decided twice, nothing is skipped', async () => {
  await decide(client, 0, { a: range(0, 10), b: range(0, 4) });
  await runUntil(({ decisions }) => decisions === 10);
  await command(client, { id: '1', model: 'b' });
  const waiting = await runUntil(({ champion, lag }) => champion === 'b' && lag === 0);
  expect(waiting.decisions).toBe(10);
  await decide(client, 0, { b: range(4, 12) });
  await runUntil(({ decisions }) => decisions === 12);

  const [told] = await liveDecisions(client);
  expect(told!.map(({ model, input }) => `${model}${input}`).slice(8)).toEqual(['a8', 'a9', 'b10', 'b11']);
});

test('a champion that has not started yet is waited for, while commands are answered', async () => {
  const running = runUntil(({ decisions }) => decisions === 3);
  await expect.poll(() => readPromotions(client), patiently).toHaveLength(1);
  const promoted = await requestPromotion(client, { action: 'promote', model: 'b', by: 'test' });
  expect(promoted).toMatchObject({ action: 'promote', champion: 'b', fromInput: [0, 0, 0, 0] });
  await decide(client, 3, { a: [0, 1], b: [0, 1, 2] });
  await running;
  expect((await liveDecisions(client))[3]!.map(({ model, input }) => `${model}${input}`)).toEqual(['b0', 'b1', 'b2']);
});

test('commands are answered in their order, each once, the refused ones too', async () => {
  await command(
    client,
    ...[
      { id: '1', model: 'a' },
      { id: '2', model: 'z' },
      { id: '3', model: 'b' },
    ],
    ...[
      { id: '3', model: 'b' },
      { id: '4', action: 'rollback' as const },
      { id: '5', action: 'rollback' as const },
    ],
    { id: '6', model: 'b', expiresAtMs: 2 },
  );
  await runUntil(({ promotions }) => promotions === 7);
  await command(client, { id: '7', model: 'b' });
  await runUntil(({ promotions }) => promotions === 8);

  const audit = await readPromotions(client);
  expect(audit.map(({ commandId, action, champion }) => `${commandId} ${action} ${champion}`)).toEqual([
    ...['null initial a', '1 refused a', '2 refused a', '3 promote b', '4 rollback a', '5 refused a', '6 refused a'],
    '7 promote b',
  ]);
  expect(audit.map(({ reason }) => reason?.replace(/[\d.]+ s/, 'N s'))).toEqual([
    ...[undefined, 'a is champion already.', 'z does not run here. Running: a, b.', undefined, undefined],
    ...['There is no promotion left to undo.', expect.stringContaining('after it had expired'), undefined],
  ]);
  expect(audit.filter(({ action }) => action === 'refused').map(({ fromInput }) => fromInput)).toEqual([
    ...[[], [], [], []],
  ]);
});

test('what is no command becomes a dead letter with its reason, once, and the next one is answered', async () => {
  await client.admin.ensureTopics([{ name: topics.promotionCommands, partitionCount: 1 }]);
  const producer = client.producer();
  const nonsense = { topic: topics.promotionCommands, partition: 0, key: 'k', timestampMs: 5 };
  await producer.send({ ...nonsense, value: Buffer.from('make b champion') });
  await producer.send({ ...nonsense, value: null, headers: { [headers.schema]: 'promotion-command/9' } });
  await producer.close();
  await runUntil(({ promotions }) => promotions === 1);
  await command(client, { id: '1', model: 'b' });
  await runUntil(({ promotions }) => promotions === 2);
  await runUntil(() => true);

  const letters = await readAll(client, topics.liveDeadLetter, 0);
  expect(letters.map((letter) => letter.header(headers.source))).toEqual(['live.commands/0:0', 'live.commands/0:1']);
  expect(letters.map((letter) => letter.header(headers.reason))).toEqual([
    expect.stringContaining('no promotion-command/1'),
    expect.stringContaining('Unknown schema "promotion-command/9"'),
  ]);
  expect(letters[0]!.header(headers.app)).toBe('live.decisions');
  expect(Buffer.from(letters[0]!.value!).toString()).toBe('make b champion');
});

test('a champion that does not run any more is kept, its last decisions are copied, and another can be promoted', async () => {
  await decide(client, 0, { a: [0, 1] });
  await runUntil(({ champion }) => champion === 'a', ['a']);
  const kept = await runUntil(({ decisions }) => decisions === 2, ['b', 'c']);
  expect(kept).toMatchObject({ champion: 'a', lag: 0 });
  await command(client, { id: '1', model: 'b' }, { id: '2', action: 'rollback' });
  await runUntil(({ promotions }) => promotions === 3, ['b', 'c']);
  const audit = await readPromotions(client);
  expect(audit.map(brief)).toEqual(['initial a [0,0,0,0]', 'promote b [2,0,0,0]', 'refused b []']);
});

test('decisions about ticks that are gone are an error that names both topics', async () => {
  await decide(client, 0, { a: [4] });
  await runUntil(({ decisions }) => decisions === 1);
  await client.admin.ensureTopics([{ name: topics.enriched, partitionCount: 4 }]);
  await expect(runUntil(() => true)).rejects.toMatchObject({
    code: 'output-ahead',
    message: expect.stringMatching(/live\.decisions.*offset 4.*market\.enriched/),
  });
});

test('a record among the decisions that no processor wrote is left out and counted', async () => {
  await decide(client, 0, { a: [0] });
  const producer = client.producer();
  await producer.send({
    ...{ topic: 'model-a.decisions', partition: 0, key: null, timestampMs: 1 },
    value: Buffer.from('buy'),
  });
  await producer.close();
  await decide(client, 0, { a: [1] });
  const { foreign } = await runUntil(({ decisions }) => decisions === 2);
  expect(foreign).toBe(1);
  expect((await liveDecisions(client))[0]!.map(({ input }) => input)).toEqual([0, 1]);
});
