import {
  decisionSchema,
  enrichedTickSchema,
  equityMarkSchema,
  groups,
  headers,
  MARKET_PARTITIONS,
  modelTopics,
  type Promotion,
  promotionSchema,
  sourceSessionSchema,
  topics,
} from '@tickfold/market';
import { connect, type OutgoingRecord, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DashboardState } from '../src/dashboard-state.ts';
import { ServiceBoard } from '../src/services.ts';
import { followStreams } from '../src/stream-feed.ts';
import { decision, enrichedTick, equityMark, OPEN_MS } from './records.ts';

const MODELS = ['a', 'b'];
const WAIT = { timeout: 20_000 };

let broker: EmbeddedBroker;
let client: StreamClient;
let state: DashboardState;
let stop: AbortController;
let following: Promise<void>;
const connections: boolean[] = [];
const warnings: string[] = [];
process.on('warning', ({ name }) => warnings.push(name));

beforeEach(async () => {
  broker = await startEmbeddedBroker();
  client = await connect({ brokers: [broker.address], clientId: 'test' });
  state = new DashboardState(MODELS, new ServiceBoard([]), () => 'regular');
  stop = new AbortController();
  connections.length = 0;
  following = followStreams({
    state,
    stream: { brokers: [broker.address], clientId: 'web' },
    signal: stop.signal,
    onConnection: (connected) => connections.push(connected),
  });
});

afterEach(async () => {
  stop.abort();
  await following;
  await client.close();
  await broker.stop();
  expect(warnings).not.toContain('MaxListenersExceededWarning');
});

async function makeTopics(): Promise<void> {
  const spread: string[] = [topics.ticks, topics.enriched];
  for (const model of MODELS) {
    const { decisions, fills, equity } = modelTopics(model);
    spread.push(decisions, fills, equity);
  }
  await client.admin.ensureTopics([
    { name: topics.source, partitionCount: 1 },
    ...spread.map((name) => ({ name, partitionCount: MARKET_PARTITIONS })),
  ]);
}

async function send(...records: OutgoingRecord[]): Promise<void> {
  const producer = client.producer();
  for (const record of records) await producer.send(record);
  await producer.close();
}

function enriched(source: string): OutgoingRecord {
  const value = enrichedTickSchema.encode(enrichedTick({ source }));
  return record(topics.enriched, value, { [headers.schema]: enrichedTickSchema.id, [headers.source]: source });
}

function decided(model: string, input: number, action: 'buy' | 'hold'): OutgoingRecord {
  return record(modelTopics(model).decisions, decisionSchema.encode(decision({ action })), {
    [headers.schema]: decisionSchema.id,
    [headers.source]: `day:${input}`,
    [headers.input]: String(input),
  });
}

function promoted(changes: Partial<Promotion> & Pick<Promotion, 'action' | 'champion'>): OutgoingRecord {
  const nothing = { commandId: null, previous: null, by: 'test', askedAtMs: 0, atMs: 0, fromInput: [0], reason: null };
  const value = promotionSchema.encode({ ...nothing, ...changes });
  return { ...record(topics.promotions, value, { [headers.schema]: promotionSchema.id }), key: null };
}

function record(topic: string, value: Uint8Array, recordHeaders: Record<string, string>): OutgoingRecord {
  return { topic, partition: 0, key: 'BAC', value, timestampMs: OPEN_MS, headers: recordHeaders };
}

test("ticks, equity and both versions' decisions are read from the log's start, as soon as their topics are made", async () => {
  await vi.waitFor(() => expect(connections).toEqual([true]), WAIT);
  await makeTopics();
  await send(
    {
      ...record(
        topics.source,
        sourceSessionSchema.encode({ identity: 'sim:1', description: 'sim', eventDate: '2013-10-08', speed: 60 }),
        { [headers.schema]: sourceSessionSchema.id },
      ),
    },
    enriched('day:1'),
    record(modelTopics('a').equity, equityMarkSchema.encode(equityMark({ equityE4: 70 })), {
      [headers.schema]: equityMarkSchema.id,
    }),
    decided('a', 0, 'buy'),
    decided('b', 0, 'hold'),
  );
  await vi.waitFor(() => {
    expect(state.feed()).toMatchObject({ kind: 'sim', speed: 60 });
    expect(state.market.totals).toMatchObject({ ticks: 1, trades: 1 });
    expect(state.equity.get('a')?.summary().equityE4).toBe(70);
    expect(state.differences.newest()).toMatchObject([{ id: '0-0', source: 'day:0' }]);
  }, WAIT);
});

test('lag is known from cursors, and a decision that a version left out is settled by its cursor', async () => {
  await makeTopics();
  await send(enriched('day:1'), decided('a', 0, 'buy'));
  await vi.waitFor(() => {
    expect(state.progress.stages.find(({ name }) => name === 'b')?.lag).toBeNull();
    expect(state.progress.stages.find(({ name }) => name === 'web')?.lag).toBe(0);
    expect(state.progress.decisions.get('a')).toBe(1);
  }, WAIT);
  expect(state.differences.total).toBe(0);

  for (const model of MODELS) {
    await client.admin.commitOffsets(groups.analytics(model), topics.enriched, new Map([[0, 1n]]));
  }
  await vi.waitFor(() => {
    expect(state.progress.stages.find(({ name }) => name === 'b')?.lag).toBe(0);
    expect(state.differences.find('0-0')?.sides).toEqual([
      { model: 'a', action: 'buy' },
      { model: 'b', action: 'none' },
    ]);
  }, WAIT);
});

test('who is champion is what the audit stream says last, refusals aside', async () => {
  await client.admin.ensureTopics([{ name: topics.promotions, partitionCount: 1 }]);
  await send(promoted({ action: 'initial', champion: 'a' }));
  await vi.waitFor(() => expect(state.overview().champion).toBe('a'), WAIT);
  await send(
    promoted({ action: 'promote', champion: 'b', previous: 'a' }),
    promoted({ action: 'refused', champion: 'b', reason: 'b is champion already.', fromInput: [] }),
  );
  await vi.waitFor(() => expect(state.championship.toJson().audit).toHaveLength(3), WAIT);
  expect(state.championship.toJson()).toMatchObject({
    champion: 'b',
    rollsBackTo: 'a',
    audit: [{ action: 'refused' }, {}, {}],
  });
});

test('a value that no schema fits is counted, and what follows it is shown', async () => {
  await makeTopics();
  const broken = record(topics.enriched, new Uint8Array([1, 2]), { [headers.schema]: enrichedTickSchema.id });
  await send(broken, enriched('day:2'));
  await vi.waitFor(() => expect(state.market.totals).toMatchObject({ ticks: 1, undecodable: 1 }), WAIT);
});

test('a broker that goes and comes back costs no tick and doubles none', async () => {
  await makeTopics();
  await send(enriched('day:1'));
  await vi.waitFor(() => expect(state.market.totals.ticks).toBe(1), WAIT);

  const { port, dataDir } = broker;
  await client.close();
  await broker.broker.close();
  await vi.waitFor(() => expect(state.brokerConnected).toBe(false), WAIT);
  expect(state.progress.ticksPerSecond).toBeNull();

  const temporary = broker;
  broker = await startEmbeddedBroker({ port, dataDir });
  client = await connect({ brokers: [broker.address], clientId: 'test' });
  await send(enriched('day:2'));
  await vi.waitFor(() => expect(state.market.totals.ticks).toBe(2), WAIT);
  expect(connections.at(-1)).toBe(true);

  stop.abort();
  await following;
  await broker.stop();
  await temporary.stop();
});
