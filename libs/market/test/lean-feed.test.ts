import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type FeedRecord, newYorkToUtcMs, openLeanFeed, openLeanFolder, parseTick } from '../src/index.ts';
import { readAll, scratchFolder, shown, zipOf } from './scratch.ts';

const OPEN = 34_200_000;

/** @param files path below `equity/usa/tick` to its CSV */
async function leanFolder(files: Record<string, string>): Promise<string> {
  const folder = await scratchFolder();
  for (const [name, csv] of Object.entries(files)) {
    const path = join(folder, 'equity/usa', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, name.endsWith('.zip') ? zipOf(name.replace('.zip', '.csv'), csv) : csv);
  }
  return folder;
}

function ticksOf(items: Awaited<ReturnType<typeof readAll>>) {
  return items.map((item) => {
    const { kind, line, eventTimeMs } = item as FeedRecord;
    return parseTick(kind, line, eventTimeMs);
  });
}

test('trades and quotes of all symbols are merged by time, then file name, then line', async () => {
  const folder = await leanFolder({
    'tick/bac/20131008_trade.zip': `${OPEN},138000,100,P,1,0\n${OPEN + 5},138100,200,D,20000020,0`,
    'tick/bac/20131008_quote.zip': `${OPEN},137900,500,0,0,K,1,0\n${OPEN + 9},0,0,138100,300,K,1,0\n`,
    'tick/aig/20131008_trade.zip': `${OPEN + 5},480000,50,N,1,0\n`,
    'tick/aig/20131007_trade.zip': `${OPEN},470000,1,N,1,0\n`,
  });
  const items = await readAll(await openLeanFeed(folder, '2013-10-08'));
  expect(items.map(({ source, position }) => [position, source])).toEqual([
    [0, 'bac/20131008_quote.zip:1'],
    [1, 'bac/20131008_trade.zip:1'],
    [2, 'aig/20131008_trade.zip:1'],
    [3, 'bac/20131008_trade.zip:2'],
    [4, 'bac/20131008_quote.zip:2'],
  ]);
  expect(ticksOf(items)).toMatchObject([
    {
      kind: 'quote',
      symbol: 'BAC',
      exchange: 'K',
      bidPriceE4: 137_900,
      bidSize: 500,
      askPriceE4: 0,
      askSize: 0,
      condition: 'R',
    },
    { kind: 'trade', symbol: 'BAC', exchange: 'P', priceE4: 138_000, size: 100, condition: '@', sequence: 1 },
    { kind: 'trade', symbol: 'AIG', eventTimeMs: newYorkToUtcMs('2013-10-08', OPEN + 5) },
    { kind: 'trade', symbol: 'BAC', condition: ' F', sequence: 2 },
    { kind: 'quote', bidPriceE4: 0, bidSize: 0, askPriceE4: 138_100, askSize: 300 },
  ]);
});

test('a fraction of a millisecond is dropped', async () => {
  const folder = await leanFolder({ 'tick/spy/20131008_trade.zip': `${OPEN + 1}.9375,1674100,100,P,1,0` });
  const [item] = await readAll(await openLeanFeed(folder));
  expect(item).toMatchObject({ eventTimeMs: newYorkToUtcMs('2013-10-08', OPEN + 1) });
});

test('rows that are none become malformed items with their reason, at the time of the row before', async () => {
  const rows = [
    `${OPEN},138000,100,P,1,0`,
    `${OPEN + 1},138x00,100,P,1,0`,
    'half,a,row',
    '86400000,138000,100,P,1,0',
    `${OPEN + 2},138000,100,PP,1,0`,
    `${OPEN + 2},138000,100,P,xyz,0`,
    `${OPEN + 2},138000,1234567890,P,1,0`,
    `${OPEN + 3},0,100,P,1,0`,
    `${OPEN + 4},138000,100,P,1,0`,
  ];
  const folder = await leanFolder({ 'tick/bac/20131008_trade.zip': rows.join('\r\n') });
  const items = await readAll(await openLeanFeed(folder));
  expect(items.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(shown(items.slice(1, 8))).toEqual([
    'bac/20131008_trade.zip:2 price (bytes 9-14) is "138x00", expected a number of digits only',
    'bac/20131008_trade.zip:3 row (bytes 0-9) is of 3 columns, expected 6 columns',
    'bac/20131008_trade.zip:4 time (bytes 0-7) is "86400000", expected milliseconds below 86400000',
    'bac/20131008_trade.zip:5 exchange (bytes 20-21) is "PP", expected one visible character',
    'bac/20131008_trade.zip:6 condition (bytes 22-24) is "xyz", expected up to 8 hexadecimal digits',
    'bac/20131008_trade.zip:7 volume 1234567890 does not fit: at most 9 digits',
    'bac/20131008_trade.zip:8 price (bytes 9-9) is "0", expected a price above zero',
  ]);
});

test('sets of condition flags become letters in their places', async () => {
  const cases = {
    1: '@',
    20000020: ' F',
    2000: '  T',
    20002020: ' FT',
    106000: '  UW',
    20100200: ' 4 W',
    4000000: '   Q',
    80000001: '@  I',
  };
  const rows = Object.keys(cases).map((flags) => `${OPEN},138000,100,P,${flags},0`);
  const folder = await leanFolder({ 'tick/bac/20131008_trade.zip': rows.join('\n') });
  const ticks = ticksOf(await readAll(await openLeanFeed(folder)));
  expect(ticks.map(({ condition }) => condition)).toEqual(Object.values(cases));
});

test('from a position on, the rest is the same as when read from the start', async () => {
  const row = (index: number) => `${OPEN + index * 3},138000,${index},P,1,0`;
  const rows = Array.from({ length: 6_000 }, (_, index) => row(index)).join('\n');
  const folder = await leanFolder({ 'tick/bac/20131008_trade.zip': rows, 'tick/aig/20131008_trade.zip': rows });
  const feed = await openLeanFeed(folder);
  const all = await readAll(feed);
  expect(all).toHaveLength(12_000);
  for (const from of [1, 2_048, 11_999, 12_000]) expect(await readAll(feed, from)).toEqual(all.slice(from));
});

test('the latest day is the default, and a day that is missing is told with those that are there', async () => {
  const row = `${OPEN},138000,100,P,1,0`;
  const folder = await leanFolder({ 'tick/bac/20131007_trade.zip': row, 'tick/bac/20131008_trade.zip': row });
  expect((await openLeanFeed(folder)).eventDate).toBe('2013-10-08');
  await expect(openLeanFeed(folder, '2013-10-09')).rejects.toMatchObject({
    message: expect.stringContaining('2013-10-09'),
    mend: expect.stringContaining('2013-10-07, 2013-10-08'),
  });
});

test('a zip that is cut, altered, empty or no zip at all is told by name before the first tick', async () => {
  const whole = zipOf(
    'bac.csv',
    Array.from({ length: 500 }, (_, index) => `${OPEN + index},138000,100,P,1,0`).join('\n'),
  );
  const altered = Buffer.from(whole);
  altered[200]! ^= 0xff;
  for (const bytes of [
    whole.subarray(0, 400),
    altered,
    Buffer.alloc(0),
    Buffer.from('PK\x03\x04 no zip'),
    Buffer.from('text'),
  ]) {
    const folder = await leanFolder({ 'tick/aig/20131008_trade.zip': `${OPEN},480000,100,P,1,0` });
    const path = join(folder, 'equity/usa/tick/aig/20131008_quote.zip');
    await writeFile(path, bytes);
    await expect(openLeanFeed(folder)).rejects.toMatchObject({
      name: 'FeedError',
      message: expect.stringContaining(path),
      mend: expect.stringContaining('Copy the file again'),
    });
  }
});

test('a checksum that does not match is damage, though the bytes unpack', async () => {
  const zip = zipOf('bac.csv', `${OPEN},138000,100,P,1,0`);
  const crcInDirectory = zip.indexOf('PK\x01\x02') + 16;
  zip[crcInDirectory]! ^= 0xff;
  const folder = await leanFolder({});
  const path = join(folder, 'equity/usa/tick/bac/20131008_trade.zip');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, zip);
  await expect(openLeanFeed(folder)).rejects.toThrow('checksum');
});

test('the folder is found from its parent, from equity/usa and from a folder above data', async () => {
  const folder = await leanFolder({ 'tick/bac/20131008_trade.zip': `${OPEN},138000,100,P,1,0` });
  for (const path of [folder, join(folder, 'equity'), join(folder, 'equity/usa')]) {
    expect((await openLeanFolder(path)).path).toBe(join(folder, 'equity/usa'));
  }
  await expect(openLeanFolder(await scratchFolder())).rejects.toThrow('holds no equity/usa/tick');
  await expect(openLeanFolder(join(folder, 'nothing'))).rejects.toThrow('does not exist');
});

test('daily bars, factors and trades of a day are read for the history', async () => {
  const folder = await openLeanFolder(
    await leanFolder({
      'tick/bac/20131008_trade.zip': `${OPEN},138000,100,P,1,0\nbad\n${OPEN + 1},138100,200,P,1,0`,
      'daily/bac.zip': '20131007 00:00,139000,140000,137000,138000,1000\n20131008 00:00,1,2,0,1,5',
      'factor_files/bac.csv': '20131007,0.9,2,13.5\n20501231,1,1,0',
    }),
  );
  expect(await folder.dailyBars('BAC')).toEqual([
    { date: '2013-10-07', openE4: 139_000, highE4: 140_000, lowE4: 137_000, closeE4: 138_000, volume: 1_000 },
    { date: '2013-10-08', openE4: 1, highE4: 2, lowE4: 0, closeE4: 1, volume: 5 },
  ]);
  expect(await folder.factors('BAC')).toMatchObject([{ date: '2013-10-07', priceFactor: 0.9, splitFactor: 2 }, {}]);
  expect(await folder.dailyBars('IBM')).toEqual([]);

  const malformed: string[] = [];
  const trades = [];
  for await (const chunk of folder.trades('BAC', '2013-10-08', (source) => malformed.push(source)))
    trades.push(...chunk);
  expect(trades).toMatchObject([{ size: 100, source: 'bac/20131008_trade.zip:1' }, { size: 200 }]);
  expect(malformed).toEqual(['bac/20131008_trade.zip:2']);
});

test('a daily row that is none is an error with file and row', async () => {
  const folder = await openLeanFolder(
    await leanFolder({
      'tick/bac/20131008_trade.zip': '',
      'daily/bac.zip': '20131007 00:00,139000,x,137000,138000,1000',
    }),
  );
  await expect(folder.dailyBars('BAC')).rejects.toThrow(/bac\.zip, row 1/);
});
