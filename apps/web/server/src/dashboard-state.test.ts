import { expect, test } from 'vitest';
import { decision, enrichedTick, equityMark, OPEN_MS, SESSION } from '../test/records.ts';
import { DashboardState, FrameMaker } from './dashboard-state.ts';
import { ServiceBoard } from './services.ts';

function newState(): DashboardState {
  return new DashboardState(['a', 'b'], new ServiceBoard(['ingest']), () => 'regular');
}

const FEW = { withSparklines: false };

test('the first frame is whole, the next carries only what changed', () => {
  const state = newState();
  const frames = new FrameMaker(state);
  state.market.apply(enrichedTick({ symbol: 'AAA' }), SESSION);
  state.market.apply(enrichedTick({ symbol: 'BBB' }), SESSION);
  state.equity.get('a')!.apply(0, equityMark({ equityE4: 5 }));
  frames.changes(FEW);

  state.market.apply(enrichedTick({ symbol: 'BBB' }), SESSION);
  const whole = frames.whole();
  expect(whole).toMatchObject({ whole: true, ranking: ['AAA', 'BBB'], equity: { a: [{ equityE4: 5 }], b: [] } });
  expect(whole.symbols.map(({ symbol }) => symbol)).toEqual(['AAA', 'BBB']);

  const next = frames.changes(FEW);
  expect(next).toMatchObject({ whole: false, equity: {} });
  expect(next.symbols.map(({ symbol }) => symbol)).toEqual(['BBB']);
  expect(frames.changes(FEW).symbols).toEqual([]);
});

test('a whole frame for one client takes nothing away from the changes that all clients wait for', () => {
  const state = newState();
  const frames = new FrameMaker(state);
  state.market.apply(enrichedTick(), SESSION);
  state.equity.get('a')!.apply(0, equityMark({ equityE4: 5 }));
  frames.whole();
  expect(frames.changes(FEW)).toMatchObject({ symbols: [{ symbol: 'BAC' }], equity: { a: [{ equityE4: 5 }] } });
});

test('differences go out once, with the count of all', () => {
  const state = newState();
  const frames = new FrameMaker(state);
  const differ = (offset: bigint) => {
    for (const model of ['a', 'b']) {
      const action = model === 'a' ? 'buy' : 'hold';
      state.differences.add({ model, partition: 0, inputOffset: offset, source: 's', decision: decision({ action }) });
    }
  };
  differ(1n);
  expect(frames.changes(FEW).differences).toMatchObject({ total: 1, newest: [{ id: '0-1' }] });
  differ(2n);
  expect(frames.changes(FEW).differences).toMatchObject({ total: 2, newest: [{ id: '0-2' }] });
  expect(frames.changes(FEW).differences).toMatchObject({ total: 2, newest: [] });
});

test('a feed is offers only from the first offer until a trade or a quote comes', () => {
  const state = newState();
  expect(state.feed().offersOnly).toBe(false);
  state.market.apply(enrichedTick({ kind: 'offer' }), SESSION);
  expect(state.feed().offersOnly).toBe(true);
  state.market.apply(enrichedTick({ kind: 'quote' }), SESSION);
  expect(state.feed().offersOnly).toBe(false);
});

test('what fills the log is said by the log, and that it ended by ingest', () => {
  const state = newState();
  expect(state.feed()).toMatchObject({ kind: null, complete: false });
  state.source = { identity: 'lean:4f2a', description: 'lean:FOLDER of 2013-10-08', eventDate: SESSION, speed: 0 };
  state.services.apply('ingest', { instanceId: 'i', ready: true, complete: true, malformed: 2 }, OPEN_MS);
  expect(state.feed()).toMatchObject({ kind: 'lean', speed: 0, complete: true, malformedLines: 2 });
});

test('without a broker rates and lags are unknown, while counts stay', () => {
  const state = newState();
  state.progress = {
    ticksPerSecond: 100,
    stages: [{ name: 'enrichment', topic: 'market.ticks', lag: 0, ratePerSecond: 100 }],
    latestEventTimeMs: OPEN_MS,
    decisions: new Map([['a', 5]]),
    fills: new Map(),
    decisionRates: new Map([['a', 7]]),
  };
  state.forgetProgress();
  expect(state.overview()).toMatchObject({
    ticksPerSecond: null,
    stages: [{ name: 'enrichment', lag: null, ratePerSecond: null }],
    models: [
      { model: 'a', decisions: 5 },
      { model: 'b', decisions: 0 },
    ],
  });
});
