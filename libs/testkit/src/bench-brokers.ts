/** The brokers that are measured, each a process of its own on an empty folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startApacheKafka } from './apache-kafka.ts';

/** How safe an acknowledgement is: `written` to the system, or `durable` on the disk. */
export type Safety = 'written' | 'durable';

export interface Contender {
  bootstrap: string;
  /** Where Tickfold's own client reaches it on this machine: a Unix socket. */
  local?: string;
  pid: number;
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../../apps/broker/dist/main.js', import.meta.url));
const LISTENS_TO_ALL = 'listening for Kafka clients';
const LISTENS_LOCALLY = 'listening for clients on this machine';
const LARGE_QUOTA_BYTES = String(64e9);

/** Removed when the process ends, if they are still there. */
const folders = new Set<string>();

function removeAtExit(folder: string): void {
  if (folders.size === 0) {
    process.once('exit', () => {
      for (const each of folders) rmSync(each, { recursive: true, force: true });
    });
  }
  folders.add(folder);
}

/** A new empty folder in the current one, which has to lie on a real disk; removed when the process ends. */
export function newFolder(): string {
  const folder = mkdtempSync(join(resolve('.'), '.broker-bench-'));
  removeAtExit(folder);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** `apps/broker` as `npm start` runs it. Resolves when it listens. */
export async function startTickfold(
  safety: Safety,
  dataDir = newFolder(),
): Promise<Contender & Required<Pick<Contender, 'local'>>> {
  // Not in the data folder, whose path may be longer than that of a socket can be.
  const socketFolder = mkdtempSync(join(tmpdir(), 'tickfold-'));
  const socketPath = join(socketFolder, 'broker.sock');
  removeAtExit(socketFolder);
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      DATA_DIR: dataDir,
      BROKER_PORT: '0',
      BROKER_SOCKET: socketPath,
      HEALTH_PORT: '0',
      LOG_LEVEL: 'info',
      VOLUME_VISIBILITY: safety === 'durable' ? 'synced' : 'written',
      VOLUME_QUOTA_BYTES: LARGE_QUOTA_BYTES,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await portOf(child);
  return {
    bootstrap: `127.0.0.1:${port}`,
    local: `unix:${socketPath}`,
    pid: child.pid!,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(socketFolder, { recursive: true, force: true });
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Apache Kafka with one broker. It flushes each message only where it is told to, so where safety is to be compared. */
export async function startKafka(safety: Safety): Promise<Contender> {
  const settings = safety === 'durable' ? { 'log.flush.interval.messages': 1 } : {};
  const kafka = await startApacheKafka({ parentDir: newFolder(), settings });
  return { bootstrap: kafka.bootstrap, pid: kafka.pids.get(1)!, stop: () => kafka.stop() };
}

/** Memory of a process, its part of what it shares included, in bytes. */
export function proportionalSetSize(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss: +(\d+) kB/m.exec(rollup)![1]) * 1024;
}

/** Resolves when it listens everywhere. */
function portOf(child: ChildProcess): Promise<number> {
  let listenedPort = 0;
  return new Promise((resolve, reject) => {
    createInterface(child.stdout!)
      .on('line', (line) => {
        const { msg, port } = JSON.parse(line);
        if (msg === LISTENS_TO_ALL) listenedPort = port;
        // The last one.
        if (msg === LISTENS_LOCALLY) resolve(listenedPort);
      })
      .once('close', () => reject(new Error('the broker ended before it listened')));
  });
}
