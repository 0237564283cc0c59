import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from '@playwright/test';
import type { VolumeDiff } from '@tickfold/evaluation';
import { decodeEvent, type EnrichedTick, groups, topics } from '@tickfold/market';
import { cliJson } from './cli.ts';
import { test } from './test.ts';
import { cleanUp, hasLean, isLong, LEAN, type Running, startUp, temporaryFolder } from './tickfold.ts';
import { readTopic, topicLength, untilCaughtUp, untilLength, withClient } from './topics.ts';

const DAY = '20131008';
const TICKS = 'equity/usa/tick';
/** A quarter of the day's 2.5 million ticks. */
const QUIETER_HALF = ['ibm', 'spy'];
const SERVICES = ['ingest', 'enrichment', 'reversion-1', 'reversion-2', 'web', 'broker'];
const FEATURES = [
  'previousCloseE4',
  'changeBps',
  'averageVolume20',
  'relativeVolume',
  'vwap20E4',
  'vwapDeviation',
  'sizePercentile',
] as const;

test.describe('a real day of trades and quotes (lean)', () => {
  test.skip(!hasLean, `needs the sample folder at ${LEAN}`);
  test.describe.configure({ timeout: 600_000 });
  let tickfold: Running;
  let folder: string;
  let lines: Map<string, number>;
  let total = 0;

  test.beforeAll(async () => {
    folder = isLong ? LEAN : quieterHalf();
    lines = countLines(folder);
    total = [...lines.values()].reduce((sum, count) => sum + count, 0);
    tickfold = await startUp({ args: ['--source', `lean:${folder}`, '--date', '2013-10-08', '--speed', '0'] });
  });
  test.afterAll(cleanUp);

  test('arrives whole, each tick once, though every app is killed in turn', async () => {
    for (const victim of SERVICES) {
      const back = (tickfold.output().match(new RegExp(`${victim} is back`, 'g')) ?? []).length;
      process.kill(tickfold.pid(victim), 'SIGKILL');
      await tickfold.untilOutput(new RegExp(`(${victim} is back[^]*){${back + 1}}`));
    }
    for (const topic of ['market.ticks', 'market.enriched']) {
      await untilLength(tickfold.broker, topic, total, 240_000);
      const seen = new Map([...lines].map(([file, count]) => [file, new Uint8Array(count + 1)]));
      let repeated = 0;
      const lastLine = new Map<string, number>();
      let outOfOrder = 0;
      await readTopic(tickfold.broker, topic, (record) => {
        const [file = '', line = ''] = (record.header('source') ?? '').split(':');
        const marks = seen.get(file);
        if (marks === undefined || marks[Number(line)] === undefined)
          throw new Error(`Unknown source id ${file}:${line}`);
        repeated += marks[Number(line)]!;
        marks[Number(line)] = 1;
        if (Number(line) <= (lastLine.get(file) ?? 0)) outOfOrder += 1;
        lastLine.set(file, Number(line));
      });
      const missing = [...seen].map(
        ([file, marks]) => `${file}: ${marks.length - 1 - marks.reduce((sum, mark) => sum + mark, 0)}`,
      );
      expect(repeated, `${topic}: repeated`).toBe(0);
      expect(outOfOrder, `${topic}: out of order`).toBe(0);
      expect(missing, `${topic}: missing`).toEqual([...lines.keys()].map((file) => `${file}: 0`));
    }
  });

  test('frozen and replayed, gives what was live, twice the same, and a priced difference between the versions', async () => {
    for (const version of ['reversion-1', 'reversion-2'])
      await untilCaughtUp(tickfold.broker, groups.analytics(version), topics.enriched);
    await cliJson(tickfold, ['snapshot', 'create', 'market@day']);
    const replay = (version: string, into: string): Promise<unknown> =>
      cliJson(tickfold, ['model', 'replay', version, '--from', 'market@day', '--into', into]);
    await Promise.all([replay('reversion-1', 'day-1'), replay('reversion-1', 'day-1-again')]);
    await replay('reversion-2', 'day-2');

    const diff = (a: string, b: string, status = 0): Promise<VolumeDiff> =>
      cliJson<VolumeDiff>(tickfold, ['volume', 'diff', a, b], status);
    const [again, between] = await Promise.all([diff('day-1', 'day-1-again'), diff('day-1', 'day-2', 1)]);
    expect(again).toMatchObject({ equal: true, kinds: [], first: null, profit: { differenceE4: 0, parts: [] } });
    expect(recordsOf(again, 'decisions')).toBeGreaterThanOrEqual(1_000);
    expect(recordsOf(again, 'fills')).toBeGreaterThanOrEqual(50);

    const { profit } = between;
    expect(profit?.differenceE4).not.toBe(0);
    expect(profit?.differenceE4).toBe((profit?.equityBE4 ?? 0) - (profit?.equityAE4 ?? 0));
    expect(profit?.parts.reduce((sum, { amountE4 }) => sum + amountE4, 0)).toBe(profit?.differenceE4);
    expect(profit?.parts.map(({ kind }) => kind)).not.toContain('unattributed');

    // The apps were killed while they made this, and nobody killed the replay.
    const live = await Promise.all([diff('model-reversion-1', 'day-1'), diff('model-reversion-2', 'day-2')]);
    const end = await withClient(tickfold.broker, (client) => topicLength(client, topics.enriched));
    for (const { equal, range, topics: compared } of live) {
      expect(equal).toBe(true);
      expect(range.reduce((sum, { toInput }) => sum + Number(toInput), 0)).toBe(end);
      for (const { recordsA, recordsB } of compared) expect(recordsA).toBe(recordsB);
    }
  });

  test('carries features that equal plain SQL over the files, and hardly any that is null', async () => {
    const lastTrade = new Map<string, EnrichedTick>();
    let filled = 0;
    let all = 0;
    await readTopic(tickfold.broker, 'market.enriched', (record) => {
      const tick = decodeEvent(record.header('schema'), record.value!) as EnrichedTick;
      if (tick.kind === 'trade') lastTrade.set(tick.symbol, tick);
      for (const feature of FEATURES) {
        all += 1;
        if (tick[feature] !== null) filled += 1;
      }
    });
    expect(filled / all).toBeGreaterThanOrEqual(0.99);

    const expected = await featuresByPlainSql(folder);
    for (const [symbol, plain] of expected) {
      const tick = lastTrade.get(symbol);
      expect(tick?.previousCloseE4, `${symbol} previous close`).toBe(plain.previousCloseE4);
      expect(tick?.averageVolume20, `${symbol} average volume`).toBeCloseTo(plain.averageVolume20, 6);
      expect(tick?.relativeVolume, `${symbol} relative volume`).toBeCloseTo(plain.relativeVolume, 9);
      expect(tick?.vwap20E4, `${symbol} VWAP`).toBeCloseTo(plain.vwap20E4, 3);
    }
  });
});

function recordsOf(diff: VolumeDiff, topic: string): number {
  return diff.topics.find((one) => one.topic === topic)?.recordsA ?? 0;
}

/** A copy of the folder with two of its four stocks. */
function quieterHalf(): string {
  const copy = temporaryFolder();
  for (const part of ['daily', 'factor_files', 'map_files', ...QUIETER_HALF.map((symbol) => `tick/${symbol}`)]) {
    const [from, to] = [LEAN, copy].map((folder) => join(folder, 'equity/usa', part)) as [string, string];
    mkdirSync(to, { recursive: true });
    for (const name of readdirSync(from)) copyFileSync(join(from, name), join(to, name));
  }
  return copy;
}

/** Lines of each tick file of the day; the last one of a file has no line end and counts. */
function countLines(lean: string): Map<string, number> {
  const ticks = join(lean, TICKS);
  const counts = new Map<string, number>();
  for (const symbol of readdirSync(ticks)) {
    for (const kind of ['quote', 'trade']) {
      const file = join(ticks, symbol, `${DAY}_${kind}.zip`);
      if (!readdirSync(join(ticks, symbol)).includes(`${DAY}_${kind}.zip`)) continue;
      const count = execFileSync('sh', ['-c', `unzip -p '${file}' | grep -c ''`], { encoding: 'utf8' });
      counts.set(`${symbol}/${DAY}_${kind}.zip`, Number(count));
    }
  }
  return counts;
}

interface PlainFeatures {
  previousCloseE4: number;
  averageVolume20: number;
  relativeVolume: number;
  vwap20E4: number;
}

/** The same features, written once more as a person would who has only the files and SQL. */
async function featuresByPlainSql(lean: string): Promise<Map<string, PlainFeatures>> {
  const ticks = join(lean, TICKS);
  const folder = temporaryFolder();
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '512MB' });
  const connection = await instance.connect();
  const result = new Map<string, PlainFeatures>();
  for (const symbol of readdirSync(ticks)) {
    mkdirSync(join(folder, symbol));
    const unzip = (zip: string, name: string): string => {
      const csv = join(folder, symbol, name);
      writeFileSync(csv, execFileSync('unzip', ['-p', zip], { maxBuffer: 256 << 20 }));
      return csv;
    };
    const trades = unzip(join(ticks, symbol, `${DAY}_trade.zip`), 'trades.csv');
    const daily = unzip(join(lean, `equity/usa/daily/${symbol}.zip`), 'daily.csv');
    const rows = await connection.runAndReadAll(`
      WITH bars AS (
        SELECT * FROM read_csv('${daily}', header = false, names = ['day', 'open', 'high', 'low', 'close', 'volume'], types = {'day': 'VARCHAR'})
        WHERE day[1:8] < '${DAY}' ORDER BY day DESC LIMIT 20
      ), today AS (
        SELECT sum(column2) AS volume FROM read_csv('${trades}', header = false, all_varchar = false, types = {'column4': 'VARCHAR'})
      )
      SELECT
        (SELECT close FROM bars ORDER BY day DESC LIMIT 1)::DOUBLE,
        (SELECT avg(volume) FROM bars)::DOUBLE,
        (SELECT volume FROM today)::DOUBLE / (SELECT avg(volume) FROM bars),
        (SELECT sum((high + low + close) / 3.0 * volume) / sum(volume) FROM bars)::DOUBLE`);
    const [previousCloseE4, averageVolume20, relativeVolume, vwap20E4] = rows.getRows()[0] as number[];
    result.set(symbol.toUpperCase(), {
      previousCloseE4: previousCloseE4!,
      averageVolume20: averageVolume20!,
      relativeVolume: relativeVolume!,
      vwap20E4: vwap20E4!,
    });
  }
  connection.closeSync();
  instance.closeSync();
  return result;
}
