import {
  type EventSchema,
  headers,
  modelTopics,
  type Run,
  runSchema,
  type SourceSession,
  sourceSessionSchema,
  topics,
} from '@tickfold/market';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMarketSnapshot, marketPins } from '../src/index.ts';
import { type Market, openMarket } from './market.ts';
import { enrichedTicks, produceTicks } from './session.ts';

let market: Market;

beforeEach(async () => {
  market = await openMarket();
});
afterEach(() => market.close());

async function write<T>(topic: string, schema: EventSchema<T>, values: T[]): Promise<void> {
  await market.client.admin.ensureTopics([{ name: topic, partitionCount: 1 }]);
  const producer = market.client.producer();
  for (const value of values) {
    const told = { [headers.schema]: schema.id };
    await producer.send({ topic, key: null, value: schema.encode(value), timestampMs: 0, headers: told });
  }
  await producer.flush();
  await producer.close();
}

const session: SourceSession = {
  identity: 'sim:seed=42',
  description: 'sim: a day',
  eventDate: '2025-10-07',
  speed: 60,
};
const run: Run = {
  app: 'enrichment',
  code: 'features-1',
  parameters: '{}',
  input: 'market.ticks',
  inputId: null,
  history: 'synthetic:42',
  tickfoldVersion: '0.0.9',
  nodeVersion: '20.0.0',
  startedAtMs: 0,
};

test('a snapshot pins the source, the enrichment with its history, each model with its parameters, and the versions', async () => {
  await write(topics.source, sourceSessionSchema, [{ ...session, identity: 'old' }, session]);
  await write(topics.marketRuns, runSchema, [{ ...run, code: 'features-0' }, run]);
  for (const name of ['reversion-2', 'reversion-1']) {
    await write(modelTopics(name).runs, runSchema, [{ ...run, code: name, parameters: '{"shares":100}' }]);
  }
  await produceTicks(market.client, enrichedTicks(), { to: 100 });
  const { pins, volume } = await createMarketSnapshot(market.client, 'market@open');
  expect(volume).toBe('market');
  expect(pins).toEqual({
    source: { identity: 'sim:seed=42', description: 'sim: a day' },
    enrichment: {
      code: 'features-1',
      parameters: '{}',
      history: 'synthetic:42',
      tickfoldVersion: '0.0.9',
      nodeVersion: '20.0.0',
    },
    models: {
      'reversion-1': { code: 'reversion-1', parameters: '{"shares":100}' },
      'reversion-2': { code: 'reversion-2', parameters: '{"shares":100}' },
    },
    tickfoldVersion: expect.stringMatching(/^\d+\.\d+\.\d+/),
    nodeVersion: process.versions.node,
  });
});

test('what nobody has said is pinned as not known, and nothing is missing for it', async () => {
  expect(await marketPins(market.client)).toMatchObject({ source: null, enrichment: null, models: {} });
  await market.client.admin.ensureTopics([{ name: topics.source, partitionCount: 1 }]);
  expect((await marketPins(market.client)).source).toBeNull();
});

test('a snapshot that is there already, or of an unknown volume, is refused in the words of the owner', async () => {
  await produceTicks(market.client, enrichedTicks(), { to: 10 });
  await createMarketSnapshot(market.client, 'market@open');
  await expect(createMarketSnapshot(market.client, 'market@open')).rejects.toThrow('market@open');
  await expect(createMarketSnapshot(market.client, 'nothing@open')).rejects.toThrow('nothing');
});
