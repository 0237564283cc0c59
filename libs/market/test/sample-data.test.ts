import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { isMalformed, openLeanFeed, openLeanFolder, openTaqFeed, parseTick } from '../src/index.ts';
import { lineOf, readAll } from './scratch.ts';

/** The sample feeds are not part of the project: without them these tests are skipped. */
const data = resolve(process.env.TICKFOLD_SHARED_DATA ?? join(import.meta.dirname, '../../../../shared/data'));
const taq = join(data, 'taq');
const lean = join(data, 'lean');
const DAY = '2013-10-08';
const MEMORY_LIMIT_BYTES = 400 * 1024 * 1024;

describe.skipIf(!existsSync(taq))('the sample Daily Trades files (taq)', () => {
  test('arrive whole, byte for byte, as offers of one symbol each', async () => {
    const feed = await openTaqFeed(taq);
    const items = await readAll(feed);
    const files = readdirSync(taq)
      .filter((name) => name !== 'README.md')
      .sort();
    const lines = files.flatMap((name) => readFileSync(join(taq, name), 'latin1').trimEnd().split('\n'));
    expect(items).toHaveLength(58_000);
    expect(items.every((item, position) => !isMalformed(item) && item.position === position)).toBe(true);
    expect(items.findIndex((item, index) => lineOf(item) !== lines[index])).toBe(-1);
    expect(new Set(items.map(({ source }) => source)).size).toBe(58_000);
  });

  test('decode to offers with one to ten receivers', async () => {
    for (const item of await readAll(await openTaqFeed(taq))) {
      if (isMalformed(item)) throw new Error(item.reason);
      const tick = parseTick(item.kind, item.line, item.eventTimeMs);
      if (tick.kind !== 'offer' || tick.receivers.length < 1 || tick.receivers.length > 10)
        throw new Error(item.source);
      if (tick.symbol !== lineOf(item).slice(10, 16).trimEnd()) throw new Error(item.source);
    }
  });
});

describe.skipIf(!existsSync(lean))('the sample LEAN folder (lean)', () => {
  test('of a day every row arrives once, in order of time, within bounded memory', async () => {
    const feed = await openLeanFeed(lean, DAY);
    const arrived = new Map<string, number>();
    let lastTimeMs = 0;
    let position = 0;
    let memoryMax = 0;
    for await (const chunk of feed.records()) {
      for (const item of chunk) {
        if (isMalformed(item)) throw new Error(`${item.source}: ${item.reason}`);
        if (item.eventTimeMs < lastTimeMs) throw new Error(`${item.source} goes back in time`);
        if (item.position !== position++) throw new Error(`${item.source} is out of position`);
        lastTimeMs = item.eventTimeMs;
        const [file, row] = item.source.split(':') as [string, string];
        // Rows of one file arrive as they follow on one another: then the last row's number is their count.
        if (Number(row) !== (arrived.get(file) ?? 0) + 1) throw new Error(`${item.source} does not follow on`);
        arrived.set(file, Number(row));
      }
      memoryMax = Math.max(memoryMax, process.memoryUsage.rss());
    }
    const files = (await openLeanFolder(lean)).tickFiles(DAY);
    expect(arrived).toEqual(new Map(files.map(({ name, path }) => [name, rowsOf(path).length])));
    expect(arrived.get('aig/20131008_trade.zip')).toBe(43_342);
    expect(memoryMax).toBeLessThan(MEMORY_LIMIT_BYTES);
  }, 120_000);

  test('rows keep their price, size, exchange and side', async () => {
    const name = 'ibm/20131008_quote.zip';
    const rows = rowsOf(join(lean, 'equity/usa/tick', name));
    let compared = 0;
    for await (const chunk of (await openLeanFeed(lean, DAY)).records()) {
      for (const item of chunk) {
        if (isMalformed(item) || !item.source.startsWith(`${name}:`)) continue;
        const tick = parseTick(item.kind, item.line, item.eventTimeMs);
        if (tick.kind !== 'quote') throw new Error(item.source);
        const [time, ...columns] = rows[Number(item.source.split(':')[1]) - 1]!.split(',');
        const found = [tick.bidPriceE4, tick.bidSize, tick.askPriceE4, tick.askSize, tick.exchange].map(String);
        if (found.join() !== columns.slice(0, 5).join()) throw new Error(item.source);
        if (tick.eventTimeMs !== Date.parse(`${DAY}T04:00:00Z`) + Number(time)) throw new Error(item.source);
        compared++;
      }
    }
    expect(compared).toBe(rows.length);
  }, 120_000);

  test('holds daily bars up to 2021 and trades of both days', async () => {
    const folder = await openLeanFolder(lean);
    expect(folder.symbols()).toEqual(['AIG', 'BAC', 'IBM', 'SPY']);
    expect(folder.tickDates()).toEqual(['2013-10-07', DAY]);
    const bars = await folder.dailyBars('SPY');
    expect(bars.at(-1)?.date).toBe('2021-03-31');
    let trades = 0;
    for await (const chunk of folder.trades('BAC', '2013-10-07')) trades += chunk.length;
    expect(trades).toBe(rowsOf(join(lean, 'equity/usa/tick/bac/20131007_trade.zip')).length);
  });
});

/** Rows of a zip's first file by another way than the feed's: header skipped by hand, unpacked and split as a whole. */
function rowsOf(path: string): string[] {
  const zip = readFileSync(path);
  const content = zip.subarray(30 + zip.readUInt16LE(26) + zip.readUInt16LE(28));
  return inflateRawSync(content, { finishFlush: 2 }).toString('latin1').replace(/\n$/, '').split('\n');
}
