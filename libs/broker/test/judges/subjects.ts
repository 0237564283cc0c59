import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startApacheKafka } from '@tickfold/testkit/apache-kafka';
import type { Subject } from './judge.ts';

/** Partitions of a topic that is made by asking for it: what librdkafka's suite expects of its broker. */
const DEFAULT_PARTITIONS = 4;

export interface RunningSubject extends Subject {
  stop(): Promise<void>;
}

/** The broker of this repository, as its own process. */
export async function startTickfold(entry: string, folder: string): Promise<RunningSubject> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tickfold-judged-'));
  await mkdir(folder, { recursive: true });
  const child = spawn(process.execPath, [entry], {
    env: {
      PATH: process.env.PATH,
      DATA_DIR: dataDir,
      BROKER_PORT: '0',
      HEALTH_PORT: '0',
      LOG_LEVEL: 'info',
      DEFAULT_PARTITIONS: String(DEFAULT_PARTITIONS),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  process.once('exit', () => child.kill('SIGKILL'));
  child.stdout.pipe(createWriteStream(join(folder, 'broker.log')));
  const port = await new Promise<number>((resolve, reject) => {
    createInterface(child.stdout)
      .on('line', (line) => {
        const { msg, port } = JSON.parse(line);
        if (msg === 'listening for Kafka clients') resolve(port);
      })
      .once('close', () => reject(new Error(`The broker ended before it listened; see ${folder}/broker.log.`)));
  });
  return {
    name: 'tickfold',
    bootstrap: `127.0.0.1:${port}`,
    folder,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Apache Kafka with one broker. */
export async function startKafka(folder: string): Promise<RunningSubject> {
  const kafka = await startApacheKafka({ settings: { 'num.partitions': DEFAULT_PARTITIONS } });
  return { name: 'kafka', bootstrap: kafka.bootstrap, folder, stop: () => kafka.stop() };
}
