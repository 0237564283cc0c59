import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** As npm links it for `npx tickfold`. */
const TICKFOLD = join(import.meta.dirname, '../../../node_modules/.bin/tickfold');

export interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface Where {
  dataDir: string;
  /** `host:port`; left out: a port where nobody listens. */
  broker?: string;
}

export type Process = ChildProcessByStdio<null, Readable, Readable>;

const processes = new Set<Process>();

/** Starts the built command, from another folder than the repository's. */
export function start({ dataDir, broker = '127.0.0.1:1' }: Where, ...arguments_: string[]): Process {
  const child = spawn(process.execPath, [TICKFOLD, ...arguments_], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH!, DATA_DIR: dataDir, BROKERS: broker, TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  processes.add(child);
  child.once('close', () => processes.delete(child));
  return child;
}

export async function ended(child: Process): Promise<Result> {
  const result: Result = { status: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    result.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    result.stderr += text;
  });
  await once(child, 'close');
  return { ...result, status: child.exitCode };
}

export function tickfold(where: Where, ...arguments_: string[]): Promise<Result> {
  return ended(start(where, ...arguments_));
}

/** With `--json`, parsed; fails unless the status is the expected one. */
export async function tickfoldJson<Json>(where: Where, arguments_: string[], expectedStatus = 0): Promise<Json> {
  const { status, stdout, stderr } = await tickfold(where, ...arguments_, '--json');
  if (status !== expectedStatus)
    throw new Error(`tickfold ${arguments_.join(' ')}: status ${status}\n${stderr}${stdout}`);
  return JSON.parse(stdout) as Json;
}

export async function endAll(): Promise<void> {
  for (const child of [...processes]) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

/** Volumes, snapshots, and whatever is half made. */
export function contents(dataDir: string): string[] {
  const within = (folder: string) => (existsSync(join(dataDir, folder)) ? readdirSync(join(dataDir, folder)) : []);
  return [
    ...within('.').filter((name) => !name.startsWith('.')),
    ...within('.snapshots'),
    ...within('.staging'),
  ].sort();
}
