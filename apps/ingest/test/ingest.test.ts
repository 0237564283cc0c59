import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  encodeTrade,
  FeedError,
  type FeedItem,
  type FeedSource,
  groups,
  MARKET_PARTITIONS,
  newYorkToUtcMs,
  openSource,
  openTaqFeed,
  sourceSessionSchema,
  topics,
} from '@tickfold/market';
import { partitionOfKey, type StreamClient } from '@tickfold/stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { byPosition, connectTo, expectWholeAndOnce, readTopic, runIngest, startBroker, watched } from './scenario.ts';

const taq = join(
  resolve(process.env.TICKFOLD_SHARED_DATA ?? join(import.meta.dirname, '../../../../shared/data')),
  'taq',
);
const SYMBOLS = ['BAC', 'IBM', 'AIG', 'SPY', 'BRK.A', 'MSFT', 'GE', 'F'];

function tradeLine(sequence: number, exchange = 'N'): string {
  const symbol = SYMBOLS[sequence % SYMBOLS.length]!;
  const eventTimeMs = newYorkToUtcMs('2013-08-06', 34_200_000 + sequence);
  const line = encodeTrade({
    kind: 'trade',
    symbol,
    eventTimeMs,
    exchange,
    priceE4: 103_300,
    size: 100,
    condition: '@',
    sequence,
  });
  return Buffer.from(line).toString('latin1');
}

async function taqFeed(lines: string[]): Promise<FeedSource> {
  const folder = await mkdtemp(join(tmpdir(), 'tickfold-ingest-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'trades'), lines.join('\n'), 'latin1');
  return openTaqFeed(join(folder, 'trades'));
}

/** Good lines with every seventh one malformed. */
function mixedLines(count: number): string[] {
  return Array.from({ length: count }, (_, index) => (index % 7 === 6 ? `bad line ${index}` : tradeLine(index)));
}

async function itemsOf(feed: FeedSource): Promise<FeedItem[]> {
  const items: FeedItem[] = [];
  for await (const chunk of feed.records()) items.push(...chunk);
  return items;
}

test('every line arrives byte for byte with key, event time, kind, source id and position', async () => {
  const client = await connectTo(await startBroker());
  const lines = Array.from({ length: 100 }, (_, index) => tradeLine(index));
  const { complete, status } = await runIngest(client, await taqFeed(lines));
  expect(complete).toBe(true);
  expect(status).toMatchObject({ ticksSent: 100, malformed: 0, position: 99, eventTime: '2013-08-06 09:30:00.099' });

  const stored = byPosition(await readTopic(client, topics.ticks));
  expect(stored.map(({ value }) => value)).toEqual(lines);
  expect(stored[5]).toMatchObject({
    key: 'MSFT',
    partition: partitionOfKey(Buffer.from('MSFT'), MARKET_PARTITIONS),
    timestampMs: newYorkToUtcMs('2013-08-06', 34_200_005),
    headers: { kind: 'trade', source: 'trades:6', position: '5' },
  });
});

test('a malformed line becomes a dead letter with app, source id, position and reason', async () => {
  const client = await connectTo(await startBroker());
  const { status } = await runIngest(client, await taqFeed([tradeLine(0), 'short', tradeLine(1)]));
  expect(status).toMatchObject({ ticksSent: 2, malformed: 1 });
  expect(await readTopic(client, topics.marketDeadLetter)).toEqual([
    {
      partition: 0,
      key: '',
      value: 'short',
      timestampMs: Date.parse('2013-08-06T00:00:00Z'),
      headers: {
        app: 'ingest',
        source: 'trades:2',
        position: '1',
        reason: expect.stringMatching(/^line .*5 bytes long/),
      },
    },
  ]);
});

test('an unknown exchange letter is sent, and counted in status and metrics', async () => {
  const client = await connectTo(await startBroker());
  const feed = await taqFeed([tradeLine(0), tradeLine(1, '?'), tradeLine(2, '?')]);
  const { status, metrics } = await runIngest(client, feed);
  expect(status).toMatchObject({ ticksSent: 3, unknownExchanges: { '?': 2 } });
  expect(await metrics.metrics()).toContain('tickfold_ingest_unknown_exchange_total{exchange="?"} 2');
});

test('the source is on record before its first tick', async () => {
  const client = await connectTo(await startBroker());
  const feed = await taqFeed([tradeLine(0)]);
  const stop = new AbortController();
  await runIngest(
    client,
    watched(feed, () => stop.abort()),
    { signal: stop.signal },
  );
  const last = await client.lastRecord(topics.source, 0);
  expect(sourceSessionSchema.decode(last!.value!, last!.header('schema'))).toMatchObject({
    identity: feed.identity,
    eventDate: '2013-08-06',
  });
  expect(await readTopic(client, topics.ticks)).toEqual([]);
});

describe('a run that ended early', () => {
  test('in an orderly way is continued: in the end every line is there once and in order', async () => {
    const client = await connectTo(await startBroker());
    const feed = await taqFeed(mixedLines(3_000));
    for (const stopAt of [1, 700, 701, 1_500, 2_999]) {
      const stop = new AbortController();
      const stopping = watched(feed, ({ position }) => position === stopAt && stop.abort());
      expect((await runIngest(client, stopping, { signal: stop.signal })).complete).toBe(false);
    }
    expect((await runIngest(client, feed)).complete).toBe(true);
    await expectWholeAndOnce(client, await itemsOf(feed));
  });

  test('because its connection broke with records on their way is continued just so', async () => {
    const broker = await startBroker();
    const feed = await taqFeed(mixedLines(3_000));
    for (const breakAt of [1, 700, 701, 1_500, 2_999]) {
      const breaking = await connectTo(broker);
      const run = runIngest(
        breaking,
        watched(feed, ({ position }) => position === breakAt && void breaking.close()),
      );
      await expect(run).rejects.toMatchObject({ name: 'StreamError' });
    }
    const client = await connectTo(broker);
    expect((await runIngest(client, feed)).complete).toBe(true);
    await expectWholeAndOnce(client, await itemsOf(feed));
  });

  test('because the broker went away is continued when it is back', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'tickfold-ingest-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const feed = await taqFeed(mixedLines(3_000));
    const first = await startBroker({ dataDir });
    let stopped: Promise<void> | undefined;
    const stopping = watched(feed, ({ position }) => {
      if (position === 1_000) stopped = first.stop();
    });
    // The broker ends while the feed still has much to give.
    const slow: FeedSource = { ...stopping, records: (from) => oneByOneUntil(stopping, from, () => stopped) };
    await expect(runIngest(await connectTo(first), slow)).rejects.toMatchObject({ name: 'StreamError', retry: true });

    const client = await connectTo(await startBroker({ dataDir }));
    expect((await runIngest(client, feed)).complete).toBe(true);
    await expectWholeAndOnce(client, await itemsOf(feed));
  });

  test('after it was complete sends nothing more', async () => {
    const client = await connectTo(await startBroker());
    const feed = await taqFeed(mixedLines(50));
    await runIngest(client, feed);
    const { complete, status } = await runIngest(client, feed);
    expect(complete).toBe(true);
    expect(status).toMatchObject({ ticksSent: 0, malformed: 0 });
  });
});

describe('another source on the same data', () => {
  test('is refused, with both named and what to do', async () => {
    const client = await connectTo(await startBroker());
    const first = await taqFeed([tradeLine(0)]);
    const second = await taqFeed([tradeLine(1)]);
    await runIngest(client, first);
    await expect(runIngest(client, second)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringMatching(new RegExp(`${first.identity}.*${second.identity}`)),
      mend: expect.stringContaining('npm run clean'),
    });
    expect(await readTopic(client, topics.ticks)).toHaveLength(1);
  });

  test('is welcome while the first has sent nothing', async () => {
    const client = await connectTo(await startBroker());
    const stop = new AbortController();
    await runIngest(
      client,
      watched(await taqFeed([tradeLine(0)]), () => stop.abort()),
      { signal: stop.signal },
    );
    const second = await taqFeed([tradeLine(1)]);
    expect((await runIngest(client, second)).complete).toBe(true);
  });

  test('is refused too when a stranger wrote the ticks', async () => {
    const client = await connectTo(await startBroker());
    const feed = await taqFeed([tradeLine(0)]);
    await client.admin.ensureTopics([{ name: topics.ticks, partitionCount: MARKET_PARTITIONS }]);
    const producer = client.producer();
    await producer.send({ topic: topics.ticks, key: 'BAC', value: Buffer.from('?'), timestampMs: 0 });
    await producer.close();
    await expect(runIngest(client, feed)).rejects.toThrow('an unknown source');
  });
});

test('ingest waits while enrichment is too far behind, and goes on when it has caught up', async () => {
  const client = await connectTo(await startBroker());
  const feed = await taqFeed(mixedLines(500));
  await client.admin.ensureTopics([{ name: topics.ticks, partitionCount: MARKET_PARTITIONS }]);
  await client.admin.commitOffsets(groups.enrichment, topics.ticks, new Map([[0, 0n]]));

  let isWaiting = false;
  const enrichment: Promise<void>[] = [];
  const onStatus = ({ waitingForEnrichment }: Record<string, unknown>) => {
    if (waitingForEnrichment === true && !isWaiting) enrichment.push(catchUpWhile(client, () => isWaiting));
    isWaiting = waitingForEnrichment === true;
  };
  // The gate sees what is durable: the feed goes on when all that it gave is, so that the lag does grow on a slow disk.
  const seen: FeedSource = {
    ...feed,
    records: (from) => inPiecesOf100(feed, from, (count) => untilDurable(client, count)),
  };
  const { complete, status } = await runIngest(client, seen, { lagMax: 50, onStatus });
  await Promise.all(enrichment);
  expect(enrichment.length).toBeGreaterThan(0);
  expect(complete).toBe(true);
  expect(status).toMatchObject({ waitingForEnrichment: false });
  await expectWholeAndOnce(client, await itemsOf(feed));
});

test('a file that cannot be read on ends the run with its name', async () => {
  const client = await connectTo(await startBroker());
  const feed = await taqFeed([tradeLine(0)]);
  await expect(runIngest(client, { ...feed, records: brokenFile })).rejects.toMatchObject({
    name: 'FeedError',
    message: 'gone',
  });
});

test('the simulator’s session arrives whole through a restart in its midst', async () => {
  const client = await connectTo(await startBroker());
  const feed = await openSource({ kind: 'sim' }, { sim: { symbolCount: 5, peakTicksPerSecond: 20 } });
  const stop = new AbortController();
  await runIngest(
    client,
    watched(feed, ({ position }) => position === 999 && stop.abort()),
    { signal: stop.signal },
  );
  expect((await runIngest(client, feed)).complete).toBe(true);
  const stored = byPosition(await readTopic(client, topics.ticks));
  expect(stored.map(({ headers: { position } }) => Number(position))).toEqual(stored.map((_, index) => index));
  expect(stored.map(({ value }) => value)).toEqual(
    (await itemsOf(feed)).map(({ line }) => Buffer.from(line).toString('latin1')),
  );
});

describe.skipIf(!existsSync(taq))('the sample Daily Trades files (taq)', () => {
  test('arrive whole, byte for byte, though the run is stopped three times', async () => {
    const client = await connectTo(await startBroker());
    const feed = await openTaqFeed(taq);
    for (const stopAt of [5_000, 29_000, 57_000]) {
      const stop = new AbortController();
      await runIngest(
        client,
        watched(feed, ({ position }) => position === stopAt && stop.abort()),
        { signal: stop.signal },
      );
    }
    await runIngest(client, feed);
    const files = readdirSync(taq)
      .filter((name) => name !== 'README.md')
      .sort();
    const lines = files.flatMap((name) => readFileSync(join(taq, name), 'latin1').trimEnd().split('\n'));
    const stored = byPosition(await readTopic(client, topics.ticks));
    expect(stored).toHaveLength(58_000);
    expect(stored.findIndex(({ value }, index) => value !== lines[index])).toBe(-1);
  }, 120_000);
});

/** Commits all that there is, again and again, as an enrichment that catches up. */
async function catchUpWhile(client: StreamClient, isWaiting: () => boolean): Promise<void> {
  do {
    const ends = (await client.admin.watermarks(topics.ticks)).map(({ partition, high }) => [partition, high] as const);
    await client.admin.commitOffsets(groups.enrichment, topics.ticks, new Map(ends));
  } while (isWaiting());
}

async function* oneByOneUntil(feed: FeedSource, from: number | undefined, until: () => Promise<void> | undefined) {
  for await (const chunk of feed.records(from)) {
    await until();
    yield chunk;
  }
}

async function* inPiecesOf100(feed: FeedSource, from: number | undefined, afterEach: (count: number) => Promise<void>) {
  let count = 0;
  for await (const chunk of feed.records(from)) {
    for (let start = 0; start < chunk.length; start += 100) {
      const piece = chunk.slice(start, start + 100);
      yield piece;
      count += piece.length;
      await afterEach(count);
    }
  }
}

/** @param count of ticks and dead letters together */
async function untilDurable(client: StreamClient, count: number): Promise<void> {
  let durable = 0;
  while (durable < count) {
    durable =
      (await readTopic(client, topics.ticks)).length + (await readTopic(client, topics.marketDeadLetter)).length;
  }
}

async function* brokenFile(): AsyncGenerator<FeedItem[]> {
  yield [];
  throw new FeedError('gone', 'copy it again');
}
