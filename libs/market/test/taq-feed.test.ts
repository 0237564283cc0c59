import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeOffer, encodeTrade, newYorkToUtcMs, openTaqFeed, type Trade } from '../src/index.ts';
import { lineOf, readAll, scratchFolder, shown } from './scratch.ts';

const trade = (sequence: number, symbol = 'BAC'): string => textOf(encodeTrade(tradeOf(sequence, symbol)));
const offer = (sequence: number): string =>
  textOf(encodeOffer({ ...tradeOf(sequence, 'IBM'), kind: 'offer', sender: '0001', receivers: ['0002', '0003'] }));

function tradeOf(sequence: number, symbol: string): Trade {
  const eventTimeMs = newYorkToUtcMs('2013-08-06', 34_200_000 + sequence);
  return { kind: 'trade', symbol, eventTimeMs, exchange: 'N', priceE4: 103_300, size: 100, condition: '@', sequence };
}

function textOf(line: Uint8Array): string {
  return Buffer.from(line).toString('latin1');
}

async function taqFile(content: string, name = 'trades'): Promise<string> {
  const path = join(await scratchFolder(), name);
  await writeFile(path, content, 'latin1');
  return path;
}

test('lines with a sender are offers, lines without are trades; both arrive as they were', async () => {
  const lines = [trade(1), offer(2), trade(3)];
  const items = await readAll(await openTaqFeed(await taqFile(`${lines.join('\n')}\n`)));
  expect(items.map(lineOf)).toEqual(lines);
  expect(items).toMatchObject([
    { kind: 'trade', symbol: 'BAC', source: 'trades:1', position: 0, eventTimeMs: tradeOf(1, 'BAC').eventTimeMs },
    { kind: 'offer', symbol: 'IBM', source: 'trades:2', position: 1 },
    { kind: 'trade', symbol: 'BAC', source: 'trades:3', position: 2 },
  ]);
});

test('CRLF, LF and a last line without either make the same lines', async () => {
  const lines = [trade(1), offer(2), trade(3)];
  for (const content of [lines.join('\n'), lines.join('\r\n'), `${lines.join('\r\n')}\r\n`, `${lines.join('\n')}\r`]) {
    expect((await readAll(await openTaqFeed(await taqFile(content)))).map(lineOf)).toEqual(lines);
  }
});

test('a header is skipped and told, and line numbers go on counting it', async () => {
  for (const header of ['Time,Exchange,Symbol', '  08062013:      37432102'.padEnd(71), 'Time'.padEnd(100, '.')]) {
    const feed = await openTaqFeed(await taqFile(`${header}\r\n${trade(1)}\r\n`));
    expect(shown(await readAll(feed))).toEqual([`trades:2 ${trade(1)}`]);
    expect(feed.warnings).toEqual(['trades: line 1 is taken for a header.']);
  }
});

test('a damaged first line is malformed, not a header', async () => {
  for (const line of [`0930x0000${trade(1).slice(9)}`, 'short', trade(1).slice(0, 40)]) {
    const items = await readAll(await openTaqFeed(await taqFile(`${line}\n${trade(2)}\n`)));
    expect(items).toMatchObject([{ source: 'trades:1', position: 0, reason: expect.any(String) }, { kind: 'trade' }]);
  }
});

test('malformed lines come in their place, with file, line and reason, and the feed goes on', async () => {
  const lines = [trade(1), 'short', trade(2).replace('00000103300', '0000010330x'), '', trade(3)];
  expect(shown(await readAll(await openTaqFeed(await taqFile(lines.join('\n')))))).toEqual([
    `trades:1 ${trade(1)}`,
    'trades:2 line (bytes 0-4) is 5 bytes long, expected 71, or 75 and 4 for each of 1 to 10 receivers',
    'trades:3 price (bytes 39-49) is "0000010330x", expected 11 digits',
    'trades:4 line (bytes 0-0) is 0 bytes long, expected 71, or 75 and 4 for each of 1 to 10 receivers',
    `trades:5 ${trade(3)}`,
  ]);
});

test('an endless line is one malformed item of at most 1 KiB, and the next line is read', async () => {
  const items = await readAll(await openTaqFeed(await taqFile(`${trade(1)}\n${'9'.repeat(2_000_000)}\n${trade(2)}\n`)));
  expect(items).toHaveLength(3);
  expect(items[1]).toMatchObject({ source: 'trades:2', reason: expect.stringContaining('line') });
  expect(items[1]!.line).toHaveLength(1024);
  expect(lineOf(items[2]!)).toBe(trade(2));
});

test('an unknown exchange letter is accepted', async () => {
  const line = trade(1).replace('N', '?');
  expect(await readAll(await openTaqFeed(await taqFile(line)))).toMatchObject([{ kind: 'trade' }]);
});

test('a folder is read in the order of names; what is evidently no tick file is left alone', async () => {
  const folder = await scratchFolder();
  const files = {
    b: trade(2),
    a: trade(1),
    '.hidden': 'x',
    'README.md': 'x',
    LICENSE: 'x',
    'old.gz': 'x',
    SHA256SUMS: 'x',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), `${content}\n`);
  await mkdir(join(folder, 'more'));
  const feed = await openTaqFeed(folder);
  expect(shown(await readAll(feed))).toEqual([`a:1 ${trade(1)}`, `b:1 ${trade(2)}`]);
  expect(feed.warnings).toEqual(['old.gz is left alone: unpack it to have it read.']);
});

test('the date comes from the caller, else from the name, else it is that of the specification', async () => {
  const path = await taqFile(trade(1), 'EQY_US_ALL_TRADE_20131218');
  expect((await openTaqFeed(path)).eventDate).toBe('2013-12-18');
  expect((await openTaqFeed(path, '2014-01-02')).eventDate).toBe('2014-01-02');
  expect((await openTaqFeed(await taqFile(trade(1), '080449'))).eventDate).toBe('2013-08-06');
});

test('from a position on, the rest is the same as when read from the start', async () => {
  const lines = Array.from({ length: 5_000 }, (_, index) => (index % 7 === 3 ? 'bad' : trade(index)));
  const feed = await openTaqFeed(await taqFile(lines.join('\n')));
  const all = await readAll(feed);
  expect(all.map(({ position }) => position)).toEqual(lines.map((_, index) => index));
  for (const from of [0, 1, 2_500, 4_999, 5_000]) expect(await readAll(feed, from)).toEqual(all.slice(from));
});

test('the identity follows content and date, not the place', async () => {
  const one = await openTaqFeed(await taqFile(`${trade(1)}\n`));
  expect((await openTaqFeed(await taqFile(`${trade(1)}\n`))).identity).toBe(one.identity);
  expect((await openTaqFeed(await taqFile(`${trade(2)}\n`))).identity).not.toBe(one.identity);
  expect((await openTaqFeed(await taqFile(`${trade(1)}\n`, 'other'))).identity).not.toBe(one.identity);
  expect((await openTaqFeed(await taqFile(`${trade(1)}\n`), '2014-01-02')).identity).not.toBe(one.identity);
});

test('an empty file yields nothing and is told', async () => {
  const feed = await openTaqFeed(await taqFile(''));
  expect(await readAll(feed)).toEqual([]);
  expect(feed.warnings).toEqual(['trades is empty.']);
});

test('a missing path and an empty folder are errors with path and mend', async () => {
  const folder = await scratchFolder();
  await expect(openTaqFeed(join(folder, 'nothing'))).rejects.toMatchObject({
    name: 'FeedError',
    message: expect.stringContaining(join(folder, 'nothing')),
    mend: expect.stringContaining('path'),
  });
  await expect(openTaqFeed(folder)).rejects.toThrow(`${folder} holds no tick files`);
});

test.skipIf(process.getuid?.() === 0)('a file that may not be read is an error with path and mend', async () => {
  const path = await taqFile(trade(1));
  await chmod(path, 0);
  await expect(openTaqFeed(path)).rejects.toThrow(`${path} may not be read`);
});
