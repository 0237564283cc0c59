import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Kafka, logLevel } from 'kafkajs';
import { afterEach, beforeEach, expect, test } from 'vitest';

type AppProcess = ChildProcessByStdio<null, Readable, Readable>;

const REPO = join(import.meta.dirname, '../../..');
const BUILT = join(REPO, 'apps/broker/dist/main.js');

let dataDir: string;
const processes: AppProcess[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tickfold-app-broker-'));
});

afterEach(async () => {
  for (const child of processes.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  await rm(dataDir, { recursive: true, force: true });
});

function start(env: Record<string, string>): AppProcess {
  const child = spawn(process.execPath, [BUILT], {
    env: { PATH: process.env.PATH!, DATA_DIR: dataDir, BROKER_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  processes.push(child);
  return child;
}

/** The port that the process says it listens on. */
async function listening(child: AppProcess): Promise<number> {
  for await (const line of createInterface(child.stdout)) {
    const { port, msg } = JSON.parse(line);
    if (msg === 'listening for Kafka clients') return port;
  }
  throw new Error('the broker ended before it listened');
}

async function ending(child: AppProcess): Promise<{ status: number | null; stderr: string }> {
  child.stdout.resume();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  await once(child, 'close');
  return { status: child.exitCode, stderr };
}

async function takenPort(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

test('what was acknowledged is there after a kill, and SIGTERM ends the process with status 0', async () => {
  const first = start({});
  const before = clientOf(await listening(first));
  const producer = before.producer();
  await producer.connect();
  await producer.send({ topic: 'market.ticks', acks: -1, messages: [{ value: 'a' }, { value: 'b' }] });
  first.kill('SIGKILL');
  await once(first, 'exit');
  await producer.disconnect();

  const second = start({});
  const admin = clientOf(await listening(second)).admin();
  await admin.connect();
  expect(await admin.fetchTopicOffsets('market.ticks')).toMatchObject([{ low: '0', high: '2' }]);
  await admin.disconnect();
  second.kill('SIGTERM');
  expect(await ending(second)).toEqual({ status: 0, stderr: '' });
});

test('a taken port ends it with a message that names the port and the mend, without a stack trace', async () => {
  const { server, port } = await takenPort();
  const { status, stderr } = await ending(start({ BROKER_PORT: String(port) }));
  server.close();
  expect(status).toBe(1);
  expect(stderr).toBe(
    `broker: Port ${port} on 127.0.0.1 is taken by another process.\n` +
      `Mend: Choose another one, such as BROKER_PORT=${port + 100}.\n`,
  );
});

test('a data folder that cannot be one ends it with a message that names the folder and the mend', async () => {
  const file = join(dataDir, 'a-file');
  await writeFile(file, '');
  const { status, stderr } = await ending(start({ DATA_DIR: file }));
  expect(status).toBe(1);
  expect(stderr).toContain(file);
  expect(stderr).toContain('Mend: ');
  expect(stderr).not.toContain('    at ');
});

function clientOf(port: number): Kafka {
  return new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING });
}
