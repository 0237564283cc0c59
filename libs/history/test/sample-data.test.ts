import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  buildHistory,
  type History,
  historyPath,
  historySourceFor,
  loadReference,
  openHistory,
  type SymbolReference,
} from '../src/index.ts';

/** The sample feeds are not part of the project: without them these tests are skipped. */
const data = resolve(process.env.TICKFOLD_SHARED_DATA ?? join(import.meta.dirname, '../../../../shared/data'));
const equity = join(data, 'lean/equity/usa');
const SYMBOLS = ['AIG', 'BAC', 'IBM', 'SPY'];

describe.skipIf(!existsSync(equity))('the history of the sample LEAN folder for 2013-10-08', () => {
  let folder: string;
  let history: History;
  let references: Map<string, SymbolReference>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tickfold-history-'));
    const path = historyPath(folder);
    const source = await historySourceFor(`lean:${join(data, 'lean')}`, { date: '2013-10-08' });
    await buildHistory({ path, source });
    history = await openHistory(path);
    references = await loadReference(history, '2013-10-08');
    return () => {
      history.close();
      rmSync(folder, { recursive: true });
    };
  }, 120_000);

  test.each(SYMBOLS)('%s has the previous close, mean volume and VWAP that awk makes of the daily file', (symbol) => {
    const { close, meanVolume, vwap, deviation } = awkReference(symbol);
    const reference = references.get(symbol)!;
    expect(reference.previousCloseE4).toBe(close);
    expect(reference.averageVolume20).toBeCloseTo(meanVolume, 3);
    expect(reference.vwap20E4).toBeCloseTo(vwap, 1);
    expect(reference.vwapStdE4).toBeCloseTo(deviation, 1);
    expect(reference).toMatchObject({ sessions: 20, vwapBasis: 'daily-bars', vwapSessions: 20 });
  });

  test.each(SYMBOLS)(
    '%s has every trade of the day before, and ranks 500 shares at 10:15 as awk does',
    async (symbol) => {
      const file = join(equity, 'tick', symbol.toLowerCase(), '20131007_trade.zip');
      const script = `
      { all++ }
      $1 >= 36000000 && $1 < 37800000 { n++; if ($3 <= 500) notLarger++ }
      END { print all, 100 * notLarger / n }`;
      const [all, percentile] = awk(file, script);
      const tenFifteen = 10.25 * 3_600_000;
      expect(references.get(symbol)!.tradeSizes.percentile(500, tenFifteen)).toBeCloseTo(percentile!, 3);
      expect(await tradesOf(symbol)).toBe(all);
    },
  );

  test('holds real data and nothing on or after the session, though the daily files end in 2021', async () => {
    const [row] = await history.rows(`
      SELECT (SELECT max(session_date)::VARCHAR FROM trades)     AS trades,
             (SELECT max(session_date)::VARCHAR FROM daily_bars) AS days`);
    expect(row).toEqual({ trades: '2013-10-07', days: '2013-10-07' });
    expect(history.meta).toMatchObject({
      origin: 'real',
      sessions: 1,
      standIns: [expect.stringContaining('daily bars')],
    });
  });

  async function tradesOf(symbol: string): Promise<unknown> {
    const [row] = await history.rows('SELECT count(*)::DOUBLE AS n FROM trades WHERE symbol = $symbol', { symbol });
    return row?.n;
  }
});

/** From the last 20 rows before the session; there was no split after 2013, so no price is adjusted. */
function awkReference(symbol: string): { close: number; meanVolume: number; vwap: number; deviation: number } {
  const script = `
    substr($1, 1, 8) < "20131008" { rows++; close_[rows] = $5; volume[rows] = $6; typical[rows] = ($3 + $4 + $5) / 3 }
    END {
      for (i = rows - 19; i <= rows; i++) { shares += volume[i]; weighted += typical[i] * volume[i] }
      vwap = weighted / shares
      for (i = rows - 19; i <= rows; i++) squares += volume[i] * (typical[i] - vwap) ^ 2
      print close_[rows], shares / 20, vwap, sqrt(squares / shares)
    }`;
  const [close, meanVolume, vwap, deviation] = awk(join(equity, 'daily', `${symbol.toLowerCase()}.zip`), script);
  return { close: close!, meanVolume: meanVolume!, vwap: vwap!, deviation: deviation! };
}

function awk(zip: string, script: string): number[] {
  const output = execFileSync('awk', ['-F', ',', '-v', 'OFMT=%.9f', '-v', 'CONVFMT=%.9f', script], {
    input: unzipped(zip),
  });
  return output.toString().trim().split(' ').map(Number);
}

/** The only file of a zip, without the project's own reader: sizes and places are in the central directory. */
function unzipped(path: string): Buffer {
  const zip = readFileSync(path);
  const directory = zip.readUInt32LE(zip.lastIndexOf('PK\x05\x06') + 16);
  const packedBytes = zip.readUInt32LE(directory + 20);
  const header = zip.readUInt32LE(directory + 42);
  const content = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
  return inflateRawSync(zip.subarray(content, content + packedBytes));
}
