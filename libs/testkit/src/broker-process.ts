/** `apps/broker`, built, as a process of its own that can be killed and comes back on its data and its port. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface BrokerProcess {
  /** `host:port` */
  readonly address: string;
  /** `kill -9` */
  kill(): Promise<void>;
  /** Starts what was killed. Resolves once it listens. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface BrokerProcessOptions {
  /** Where its data folder is made. Left out: in the system's temporary folder. */
  parentDir?: string;
  /** More settings, as `VOLUME_VISIBILITY: 'written'`. */
  env?: Readonly<Record<string, string>>;
}

const MAIN = fileURLToPath(new URL('../../../apps/broker/dist/main.js', import.meta.url));

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Starts a broker on a free port and an empty folder. @throws Error with what it said where it ended instead */
export async function startBrokerProcess({ parentDir, env = {} }: BrokerProcessOptions = {}): Promise<BrokerProcess> {
  const dataDir = await mkdtemp(join(parentDir === undefined ? tmpdir() : resolve(parentDir), 'tickfold-broker-'));
  let { child, port } = await start(dataDir, 0, env);
  const endAtOnce = (): void => void child.kill('SIGKILL');
  process.once('exit', endAtOnce);
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  return {
    address: `127.0.0.1:${port}`,
    kill: () => end('SIGKILL'),
    async restart() {
      ({ child, port } = await start(dataDir, port, env));
    },
    async stop() {
      await end('SIGTERM');
      process.off('exit', endAtOnce);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function start(
  dataDir: string,
  port: number,
  env: Readonly<Record<string, string>>,
): Promise<{ child: Child; port: number }> {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, BROKER_PORT: String(port), HEALTH_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  for await (const line of createInterface(child.stdout)) {
    const told = JSON.parse(line);
    if (told.msg !== 'listening for Kafka clients' || told.port === undefined) continue;
    child.stdout.resume();
    return { child, port: told.port };
  }
  throw new Error(`the broker ended before it listened: ${stderr}`);
}
