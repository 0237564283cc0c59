import { type ExecFileException, execFile, execFileSync } from 'node:child_process';
import { iterateBatches } from '@tickfold/kafka-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestBroker, type TestBroker } from './harness.ts';

let running: TestBroker;

beforeEach(async () => {
  running = await startTestBroker();
});

afterEach(() => running.close());

function hasKcat(): boolean {
  try {
    execFileSync('kcat', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Runs kcat to its end; resolves to its standard output. */
function kcat(args: string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string): void =>
      error === null ? resolve(stdout) : reject(new Error(`kcat ${args.join(' ')}: ${stderr}`));
    const child = execFile('kcat', ['-b', running.bootstrap, ...args], { timeout: 25_000, maxBuffer: 1 << 26 }, done);
    child.stdin!.end(input);
  });
}

/** The lines that a log holds, unpacked here. */
async function valuesIn(topic: string, codec: string): Promise<string> {
  const { batches } = await running.engine.partition(topic, 0)!.read(0n, 1 << 20);
  const found = batches.flatMap((bytes) => [...iterateBatches(bytes)]);
  // librdkafka sends a batch as it is where it would not get smaller: one of the few lines that it had at that moment.
  const codecs = new Set(found.map(({ header }) => header.compression).filter((used) => used !== 'none'));
  expect(codecs).toEqual(new Set(codec === 'none' ? [] : [codec]));
  return found.flatMap((batch) => [...batch.records()].map(({ value }) => `${value!.toString()}\n`)).join('');
}

describe.skipIf(!hasKcat())('kcat (skipped where it is not installed)', () => {
  test('-L lists this broker at its advertised address, with topics and partitions', async () => {
    await kcat(['-P', '-t', 'some.topic'], 'a line\n');
    const { brokers, topics } = JSON.parse(await kcat(['-L', '-J']));
    expect(brokers).toEqual([{ id: 1, name: running.bootstrap }]);
    expect(topics).toMatchObject([{ topic: 'some.topic', partitions: [{ partition: 0, leader: 1 }] }]);
  });

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('-P and -C carry %s batches both ways', async (codec) => {
    const lines = Array.from({ length: 2000 }, (_, i) => `line ${i}\n`).join('');
    await kcat(['-P', '-t', 't', '-z', codec], lines);
    expect(await kcat(['-C', '-t', 't', '-e', '-q'])).toBe(lines);
    expect(await valuesIn('t', codec)).toBe(lines);
  });

  test('-C begins at an offset in the middle of a batch', async () => {
    await kcat(['-P', '-t', 't'], 'a\nb\nc\nd\n');
    expect(await kcat(['-C', '-t', 't', '-e', '-q', '-o', '2'])).toBe('c\nd\n');
  });

  test('-G reads as a group, and a second run goes on where the first one ended', async () => {
    await kcat(['-P', '-t', 't'], 'a\nb\n');
    const group = ['-G', 'market.readers', '-X', 'auto.offset.reset=earliest', '-e', '-q', 't'];
    expect(await kcat(group)).toBe('a\nb\n');
    await kcat(['-P', '-t', 't'], 'c\n');
    expect(await kcat(group)).toBe('c\n');
  });
});
