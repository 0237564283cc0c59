import { expect, test } from 'vitest';
import type { Feed, Overview, Service, SymbolRow } from './contract.ts';
import { feedLabel, historyStatement, speedText } from './feed-label.ts';
import { bannerText } from './parts/banner-text.ts';
import { costStatement } from './parts/cost-statement.ts';
import { differingParameters } from './parts/differing-parameters.ts';
import { rowAfter } from './parts/row-keys.ts';
import { sortRows } from './sort-rows.ts';

const feed = (changes: Partial<Feed> = {}): Feed => ({
  kind: 'sim',
  description: 'sim: simulated session',
  speed: 60,
  malformedLines: 0,
  complete: false,
  historyOrigin: 'synthetic',
  standIns: [],
  offersOnly: false,
  ...changes,
});

const overview = (changes: Partial<Overview> = {}): Overview =>
  ({ brokerConnected: true, catchingUp: false, services: [], stages: [], feed: feed(), ...changes }) as Overview;

test('simulated data is called simulated, another feed by its kind', () => {
  expect(feedLabel(feed())).toEqual({ text: 'Simulated data', kind: 'simulated' });
  expect(feedLabel(feed({ kind: 'lean' }))).toEqual({ text: 'Replayed LEAN files', kind: 'real' });
  expect(feedLabel(undefined).kind).toBe('unknown');
  expect(feedLabel(feed({ kind: null })).kind).toBe('unknown');
});

test('the speed is told in words', () => {
  const texts = [60, 1, 0, null].map((speed) => speedText(feed({ speed })));
  expect(texts).toEqual(['60× real time', 'in real time', 'as fast as it goes', null]);
});

test('synthetic history is called synthetic', () => {
  expect(historyStatement(feed())).toMatch(/synthetic/);
  expect(historyStatement(feed({ historyOrigin: 'real' }))).not.toMatch(/synthetic/);
  expect(historyStatement(feed({ historyOrigin: 'none' }))).toMatch(/No history/);
  expect(historyStatement(feed({ historyOrigin: 'real', standIns: ['A stand-in.'] }))).toMatch(/real.* A stand-in\.$/);
});

test('the banner says the gravest thing first', () => {
  const down = overview({ services: [{ name: 'ingest', state: 'down' } as Service], brokerConnected: false });
  expect(bannerText('lost', down)?.text).toMatch(/Connection lost, reconnecting/);
  expect(bannerText('open', down)?.text).toMatch(/broker does not answer/);
  expect(bannerText('open', { ...down, brokerConnected: true })?.text).toMatch(/ingest is down/);
  expect(bannerText('open', overview())).toBeNull();
  expect(bannerText('connecting', null)).toBeNull();
});

test('offers only and a complete session are said', () => {
  expect(bannerText('open', overview({ feed: feed({ offersOnly: true }) }))?.text).toMatch(/Offers only: models idle/);
  const complete = overview({
    feed: feed({ complete: true }),
    stages: [{ name: 'web', topic: 't', lag: 0, ratePerSecond: 0 }],
  });
  expect(bannerText('open', complete)?.text).toMatch(/Session complete/);
  const unknownLag = { ...complete, stages: [{ ...complete.stages[0]!, lag: null }] };
  expect(bannerText('open', unknownLag)).toBeNull();
});

test('rows are sorted by any column, those without a value last in either direction', () => {
  const rows = [
    { symbol: 'A', changeBps: null },
    { symbol: 'B', changeBps: -5 },
    { symbol: 'C', changeBps: 10 },
  ] as SymbolRow[];
  const names = (descending: boolean) => sortRows(rows, { key: 'change', descending }).map(({ symbol }) => symbol);
  expect(names(true)).toEqual(['C', 'B', 'A']);
  expect(names(false)).toEqual(['B', 'C', 'A']);
  expect(sortRows(rows, { key: 'activity', descending: true })).toBe(rows);
});

test('only parameters that not all versions share are told as differing', () => {
  const parameter = (name: string, value: string) => ({ name, label: name, value });
  expect(
    differingParameters([
      [parameter('shares', '100'), parameter('exit', '0.25')],
      [parameter('shares', '100'), parameter('take', '0.6')],
    ]),
  ).toEqual([
    { name: 'exit', label: 'exit', values: ['0.25', undefined] },
    { name: 'take', label: 'take', values: [undefined, '0.6'] },
  ]);
});

test('what filling costs is said in one sentence, unless the versions pay differently', () => {
  const version = (fee: string) => ({
    parameters: [
      { name: 'feePerShareE4', label: '', value: fee },
      { name: 'feeMinimumE4', label: '', value: '0.10 USD per order' },
    ],
  });
  const cheap = version('0.0005 USD per share');
  expect(costStatement([cheap, cheap])).toMatch(/0\.0005 USD per share, at least 0\.10 USD per order/);
  expect(costStatement([cheap, version('1.00 USD per share')])).toMatch(/fees differ/i);
  expect(costStatement([{ parameters: [] }])).toBeNull();
});

test('arrow keys move between rows and stay inside the table', () => {
  expect([rowAfter('ArrowDown', 0, 3), rowAfter('ArrowDown', 2, 3), rowAfter('ArrowUp', 0, 3)]).toEqual([1, 2, 0]);
  expect([rowAfter('Home', 2, 3), rowAfter('End', 0, 3), rowAfter('Enter', 0, 3)]).toEqual([0, 2, null]);
  expect(rowAfter('ArrowDown', -1, 3)).toBeNull();
});
