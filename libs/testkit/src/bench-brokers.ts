/** The brokers that are measured, each a process of its own on an empty folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startApacheKafka } from './apache-kafka.ts';

/** How safe an acknowledgement is: `written` to the system, or `durable` on the disk. */
export type Safety = 'written' | 'durable';

export interface Contender {
  bootstrap: string;
  pid: number;
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../../apps/broker/dist/main.js', import.meta.url));
const LARGE_QUOTA_BYTES = String(64e9);

/** A new empty folder in the current one, which has to lie on a real disk; removed when the process ends. */
export function newFolder(): string {
  const folder = mkdtempSync(join(resolve('.'), '.broker-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** `apps/broker` as `npm start` runs it. Resolves when it listens. */
export async function startTickfold(safety: Safety, dataDir = newFolder()): Promise<Contender> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      DATA_DIR: dataDir,
      BROKER_PORT: '0',
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
    pid: child.pid!,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
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

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    createInterface(child.stdout!)
      .on('line', (line) => {
        const { msg, port } = JSON.parse(line);
        if (msg === 'listening for Kafka clients') resolve(port);
      })
      .once('close', () => reject(new Error('the broker ended before it listened')));
  });
}
