import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lastLines, runProgram } from '@tickfold/testkit/programs';
import type { Hearing, Judge, Subject } from './judge.ts';

const LINES = Array.from({ length: 2_000 }, (_, i) => `line ${i}\n`).join('');

/** kcat, where this machine has it. */
export const kcat: Judge = {
  name: 'kcat',
  origin: `kcat ${kcatVersion() ?? '(not installed)'}`,
  async prepare() {
    if (kcatVersion() === undefined)
      throw new Error('There is no kcat on this machine. Mend: install the package "kcat".');
  },
  async hearings() {
    return Object.entries(cases).map(
      ([title, check]): Hearing => ({
        title,
        async run(subject) {
          try {
            await check(new Kcat(subject));
            return [{ case: title, outcome: 'passed' }];
          } catch (error) {
            return [{ case: title, outcome: 'failed', why: (error as Error).message }];
          }
        },
      }),
    );
  },
};

class Kcat {
  readonly topic = `kcat-${randomBytes(6).toString('hex')}`;
  readonly #subject: Subject;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  async run(args: string[], input = ''): Promise<string> {
    const { status, stdout, output, timedOut } = await runProgram('kcat', ['-b', this.#subject.bootstrap, ...args], {
      input,
      timeoutMs: 30_000,
    });
    if (status !== 0) throw new Error(timedOut ? 'no end in 30 s' : lastLines(output, 2));
    return stdout;
  }

  produce(input: string, ...options: string[]): Promise<string> {
    return this.run(['-P', '-t', this.topic, '-p', '0', ...options], input);
  }

  consume(...options: string[]): Promise<string> {
    return this.run(['-C', '-t', this.topic, '-e', '-q', ...options]);
  }
}

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

const cases: Record<string, (kcat: Kcat) => Promise<void>> = {
  'lists brokers, topics and partitions as JSON': async (kcat) => {
    await kcat.produce('a\n');
    const { topics } = JSON.parse(await kcat.run(['-L', '-J', '-t', kcat.topic]));
    same(topics[0].partitions.length, 4);
  },
  ...Object.fromEntries(
    codecs.map((codec) => [
      `carries ${codec} batches both ways`,
      async (kcat: Kcat) => {
        await kcat.produce(LINES, '-z', codec);
        same(await kcat.consume(), LINES);
      },
    ]),
  ),
  'begins in the middle of a batch': async (kcat) => {
    await kcat.produce('a\nb\nc\nd\n');
    same(await kcat.consume('-p', '0', '-o', '2'), 'c\nd\n');
  },
  'begins so many records before the end': async (kcat) => {
    await kcat.produce('a\nb\nc\nd\n');
    same(await kcat.consume('-p', '0', '-o', '-1'), 'd\n');
  },
  'begins and ends at points in time': async (kcat) => {
    const before = Date.now() - 60_000;
    await kcat.produce('a\nb\n');
    same(await kcat.consume('-p', '0', '-o', `s@${before}`, '-o', `e@${Date.now() + 60_000}`), 'a\nb\n');
  },
  'asks which offset belongs to a time': async (kcat) => {
    await kcat.produce('a\nb\n');
    same((await kcat.run(['-Q', '-t', `${kcat.topic}:0:1`])).trim(), `${kcat.topic} [0] offset 0`);
  },
  'keeps keys and headers': async (kcat) => {
    await kcat.produce('k:v\n', '-K', ':', '-H', 'h=1');
    same(await kcat.consume('-f', '%k=%s %h\n'), 'k=v h=1\n');
  },
  'goes on where its group ended': async (kcat) => {
    const group = ['-G', `${kcat.topic}.readers`, '-X', 'auto.offset.reset=earliest', '-e', '-q', kcat.topic];
    await kcat.produce('a\nb\n');
    same(await kcat.run(group), 'a\nb\n');
    await kcat.produce('c\n');
    same(await kcat.run(group), 'c\n');
  },
  'produces as an idempotent producer': async (kcat) => {
    await kcat.produce(LINES, '-X', 'enable.idempotence=true');
    same(await kcat.consume(), LINES);
  },
  'produces in a transaction': async (kcat) => {
    await kcat.produce(LINES, '-X', `transactional.id=${kcat.topic}`);
    same(await kcat.consume('-X', 'isolation.level=read_committed'), LINES);
  },
};

function same(got: unknown, expected: unknown): void {
  if (got !== expected) throw new Error(`expected ${shorten(expected)}, got ${shorten(got)}`);
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}… (${text.length})` : text;
}

function kcatVersion(): string | undefined {
  try {
    return /Version (\S+) \(.*librdkafka (\S+)/
      .exec(execFileSync('kcat', ['-V'], { encoding: 'utf8' }))
      ?.slice(1, 3)
      .join(', librdkafka ');
  } catch {
    return undefined;
  }
}
