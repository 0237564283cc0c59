import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const BUILT = join(import.meta.dirname, '../../../apps/broker/dist/main.js');

/** Of the file system of 4 MiB, kept for offsets and deletions in the second test. */
const RESERVE_BYTES = 1_000_000;

/** A broker over a file system of 4 MiB, half of it taken. On a line of input: it ends, room is made, another one starts. */
const TWO_LIVES = `
  mount -t tmpfs -o size=4m tmpfs "$DATA_DIR"
  head -c 2097152 /dev/zero > "$DATA_DIR/filler"
  node "$1" & first=$!
  read -r _
  kill $first; wait $first
  rm "$DATA_DIR/filler"
  exec node "$1"
`;
/** The same, but room is made while it runs. */
const ONE_LIFE = `
  mount -t tmpfs -o size=4m tmpfs "$DATA_DIR"
  head -c 2097152 /dev/zero > "$DATA_DIR/filler"
  node "$1" & first=$!
  read -r _
  rm "$DATA_DIR/filler"
  wait $first
`;
const OWN_MOUNTS = ['--user', '--map-root-user', '--mount'];

interface LogLine {
  msg: string;
  port?: number;
  mend?: string;
}

let dataDir: string;
let child: ChildProcessByStdio<Writable, Readable, null>;
let lines: AsyncIterator<string>;
/** What was read of the log so far. */
let log: LogLine[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tickfold-full-disk-'));
});

function live(script: string, reserveBytes: number): void {
  const settings = { BROKER_PORT: '0', HEALTH_PORT: '0', LOG_LEVEL: 'debug', DISK_RESERVE_BYTES: String(reserveBytes) };
  child = spawn('unshare', [...OWN_MOUNTS, 'sh', '-ec', script, 'sh', BUILT], {
    env: { PATH: process.env.PATH!, DATA_DIR: dataDir, ...settings },
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  log = [];
}

afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    // The shell and whichever broker it runs.
    process.kill(-child.pid!, 'SIGKILL');
    await once(child, 'exit');
  }
  await rm(dataDir, { recursive: true, force: true });
});

/** Whether this user may mount a file system of its own. */
function canMount(): boolean {
  try {
    execFileSync('unshare', [...OWN_MOUNTS, 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The broker's next log line with that text. */
async function logged(msg: string): Promise<LogLine> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the broker ended without logging "${msg}"`);
    log.push(JSON.parse(value));
    if (log.at(-1)!.msg === msg) return log.at(-1)!;
  }
}

function clientOf({ port }: LogLine): Kafka {
  return new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
}

async function send(producer: Producer, topic: string, value: string): Promise<void> {
  await producer.send({ topic, acks: -1, messages: [{ value }] });
}

/** Sends numbered records until one is refused; gives how many were acknowledged, and why the last one was not. */
async function fill(producer: Producer, topic: string): Promise<{ count: number; error: unknown }> {
  for (let count = 0; ; count++) {
    try {
      await send(producer, topic, `${count} ${'x'.repeat(100_000)}`);
    } catch (error) {
      return { count, error };
    }
  }
}

async function read(client: Kafka, topic: string, count: number): Promise<string[]> {
  const consumer = client.consumer({ groupId: `reader.${count}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  await new Promise<void>((resolve) => {
    const eachMessage = async ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
      values.push(message.value!.toString().split(' ')[0]!);
      if (values.length === count) resolve();
    };
    void consumer.run({ eachMessage });
  });
  await consumer.disconnect();
  return values;
}

test.skipIf(!canMount())(
  'on a full disk clients and operator are told, what was acknowledged is read, and after room was made it goes on (skipped where no file system may be mounted)',
  async () => {
    live(TWO_LIVES, 0);
    const health = await logged('health server listens');
    const client = clientOf(await logged('listening for Kafka clients'));
    const producer = client.producer();
    const admin = client.admin();
    await Promise.all([producer.connect(), admin.connect()]);
    await admin.createTopics({ topics: [{ topic: 'v.t' }] });
    await admin.setOffsets({ groupId: 'v.group', topic: 'v.t', partitions: [{ partition: 0, offset: '7' }] });

    const { count, error } = await fill(producer, 'v.t');
    expect(count).toBeGreaterThan(10);
    const refusal = { cause: { type: 'KAFKA_STORAGE_ERROR' } };
    expect(error).toMatchObject(refusal);
    await expect(send(producer, 'v.t', 'again')).rejects.toMatchObject(refusal);
    await expect(admin.deleteGroups(['v.group'])).rejects.toMatchObject({ groups: [{ errorCode: 56 }] });
    await expect(admin.createTopics({ topics: [{ topic: 'v.other' }] })).rejects.toMatchObject({
      errors: [{ type: 'KAFKA_STORAGE_ERROR' }],
    });

    expect((await logged('volume-stopped')).mend).toContain('Make room on that disk');
    await vi.waitFor(
      async () => {
        const response = await fetch(`http://127.0.0.1:${health.port}/readyz`);
        expect(response.status).toBe(503);
        expect((await response.json()).detail).toMatch(
          /^volume v stopped, its disk is full: ENOSPC.* Make room on that/,
        );
      },
      { timeout: 10_000 },
    );
    const all = Array.from({ length: count }, (_, i) => String(i));
    await Promise.all([producer.disconnect(), admin.disconnect()]);

    child.stdin.write('\n');
    const recovered = clientOf(await logged('listening for Kafka clients'));
    const second = recovered.producer();
    await second.connect();
    await send(second, 'v.t', 'after');
    await second.disconnect();
    const values = await read(recovered, 'v.t', count + 1);
    expect(values.slice(0, count)).toEqual(all);
  },
  60_000,
);

test.skipIf(!canMount())(
  'below the reserve data is refused and said to be, offsets and deletions go on, and data is taken again once there is room (skipped where no file system may be mounted)',
  async () => {
    live(ONE_LIFE, RESERVE_BYTES);
    const health = await logged('health server listens');
    const client = clientOf(await logged('listening for Kafka clients'));
    const producer = client.producer();
    const admin = client.admin();
    await Promise.all([producer.connect(), admin.connect()]);
    await admin.createTopics({ topics: [{ topic: 'v.t' }] });

    const { count, error } = await fill(producer, 'v.t');
    expect(count).toBeGreaterThan(2);
    expect(error).toMatchObject({ cause: { type: 'KAFKA_STORAGE_ERROR' } });
    expect((await logged('disk-low')).mend).toContain('Make room on that disk');
    await admin.setOffsets({ groupId: 'v.group', topic: 'v.t', partitions: [{ partition: 0, offset: '7' }] });
    await admin.createTopics({ topics: [{ topic: 'v.other' }] });
    await admin.deleteTopics({ topics: ['v.other'] });
    await vi.waitFor(
      async () => {
        const response = await fetch(`http://127.0.0.1:${health.port}/readyz`);
        expect(response.status).toBe(503);
        expect((await response.json()).detail).toMatch(/bytes are free .* no data is taken. Make room on that disk/);
      },
      { timeout: 10_000 },
    );

    child.stdin.write('\n');
    await logged('disk-roomy');
    await send(producer, 'v.t', 'after');
    await Promise.all([producer.disconnect(), admin.disconnect()]);
    expect(await read(client, 'v.t', count + 1)).toHaveLength(count + 1);
  },
  60_000,
);
