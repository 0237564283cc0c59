import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@tickfold/stream';
import { startEmbeddedBroker } from '@tickfold/testkit/embedded-broker';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
let socketPath: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickfold-socket-'));
  socketPath = join(folder, 'broker.sock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a client of this machine comes in through the socket, which nobody else may open, and which goes with the broker', async () => {
  const broker = await startEmbeddedBroker({ broker: { socketPath } });
  const client = await connect({ brokers: [`unix:${socketPath}`], clientId: 'test' });
  await client.admin.ensureTopics([{ name: 'a', partitionCount: 1 }]);
  const producer = client.producer();
  producer.send({ topic: 'a', key: null, value: Buffer.from('through'), timestampMs: 1 });
  await producer.close();
  expect(String((await client.lastRecord('a', 0))?.value)).toBe('through');
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  await client.close();
  await broker.stop();
  expect(existsSync(socketPath)).toBe(false);
});

test('a socket that was left by a broker that died is put away', async () => {
  leaveSocket(socketPath);
  const broker = await startEmbeddedBroker({ broker: { socketPath } });
  const client = await connect({ brokers: [`unix:${socketPath}`], clientId: 'test' });
  expect(await client.admin.topics()).toEqual([]);
  await client.close();
  await broker.stop();
});

test('a file that is no socket stays where it is', async () => {
  writeFileSync(socketPath, 'mine');
  await expect(startEmbeddedBroker({ dataDir: join(folder, 'data'), broker: { socketPath } })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  expect(statSync(socketPath).size).toBe(4);
});

test('a path that is longer than the system can hold is refused with a mend', async () => {
  const long = join(folder, 'x'.repeat(108));
  await expect(
    startEmbeddedBroker({ dataDir: join(folder, 'data'), broker: { socketPath: long } }),
  ).rejects.toMatchObject({
    code: 'ENAMETOOLONG',
    mend: 'Give it a shorter path.',
  });
});

test('a client that finds no broker at the socket says so', async () => {
  const connecting = connect({ brokers: [`unix:${socketPath}`], clientId: 'test', connectTimeoutMs: 1 });
  await expect(connecting).rejects.toThrow(`no broker answers at unix:${socketPath}: ENOENT`);
});

/** As a process leaves it that is killed: the name stays when the socket is gone. */
function leaveSocket(path: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  try {
    execFileSync(process.execPath, ['-e', script]);
  } catch {
    expect(statSync(path).isSocket()).toBe(true);
  }
}
