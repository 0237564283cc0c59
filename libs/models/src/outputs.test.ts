import {
  decisionSchema,
  type EnrichedTick,
  enrichedTickSchema,
  equityMarkSchema,
  fillSchema,
  headers,
} from '@tickfold/market';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eager, quote, tickSequences, trade } from '../test/ticks.ts';
import { createModelProcessor, type ModelOutput } from './outputs.ts';
import { findModel } from './registry.ts';

function outputsOf(ticks: EnrichedTick[]): ModelOutput[][] {
  const processor = createModelProcessor(findModel('reversion-1').create(eager));
  const state = processor.createState(0);
  return ticks.map((tick, index) => {
    const outputs: ModelOutput[] = [];
    const record = {
      offset: BigInt(index),
      value: enrichedTickSchema.encode(tick),
      header: (name: string) => (name === headers.schema ? enrichedTickSchema.id : undefined),
    };
    processor.handle(state, record, (output) => outputs.push(output));
    return outputs;
  });
}

test('the same input gives the same bytes', () => {
  fc.assert(
    fc.property(tickSequences, (ticks) => {
      expect(outputsOf(ticks)).toEqual(outputsOf(ticks));
    }),
  );
});

test('every output carries source id and schema, and its value is read by that schema', () => {
  const ticks = [
    ...[140_000, 140_100, 139_900].map((price, index) =>
      trade(price, { eventTimeMs: Date.UTC(2013, 9, 8, 14, 0, index) }),
    ),
    trade(130_000, { eventTimeMs: Date.UTC(2013, 9, 8, 14, 0, 4), source: 'feed:4' }),
    quote(0, 130_100, { eventTimeMs: Date.UTC(2013, 9, 8, 14, 1), source: 'feed:5' }),
  ];
  const [decision] = outputsOf(ticks)[3]!;
  expect(decision).toMatchObject({
    topic: 'model-reversion-1.decisions',
    key: 'BAC',
    headers: { source: 'feed:4', schema: 'decision/1' },
  });
  expect(decisionSchema.decode(decision!.value)).toMatchObject({ action: 'buy' });

  const [fill, equity] = outputsOf(ticks)[4]!;
  expect(fill).toMatchObject({ topic: 'model-reversion-1.fills', headers: { source: 'feed:5', schema: 'fill/1' } });
  expect(fillSchema.decode(fill!.value)).toMatchObject({ decisionSource: 'feed:4', quoteSource: 'feed:5' });
  expect(equity).toMatchObject({ topic: 'model-reversion-1.equity', key: null });
  expect(equityMarkSchema.decode(equity!.value)).toMatchObject({ equityE4: 0 });
});

test('at most one output per topic comes from one input', () => {
  fc.assert(
    fc.property(tickSequences, (ticks) => {
      for (const outputs of outputsOf(ticks)) {
        expect(new Set(outputs.map(({ topic }) => topic)).size).toBe(outputs.length);
      }
    }),
  );
});

test('a record that is no enriched tick is refused', () => {
  const processor = createModelProcessor(findModel('reversion-1').create());
  const record = { offset: 0n, value: new Uint8Array([1, 2, 3]), header: () => enrichedTickSchema.id };
  expect(() => processor.handle(processor.createState(0), record, () => {})).toThrow(/enriched-tick\/1/);
});
