import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromChild, ToChild } from './broker-child.ts';
import { type Line, serveBroker } from './served-broker.ts';
import { mustHold } from './violation.ts';

/** Far more than an orderly end takes. */
const END_MS = 20_000;

/** What is tortured. */
export interface Target {
  readonly port: number;
  /** What it has logged, up to now. */
  lines(): Promise<readonly Line[]>;
  /** Forgets the lines so far. */
  forgetLines(): void;
  memoryBytes(): Promise<number>;
  /** Ends it: orderly, or with `kill -9` where it is a process. */
  end(how: 'close' | 'kill'): Promise<void>;
}

/** The broker within this process: what it throws is thrown here. */
export async function startWithin(dataDir: string): Promise<Target> {
  const lines: Line[] = [];
  const served = await serveBroker(dataDir, (line) => lines.push(line));
  return {
    port: served.port,
    lines: async () => lines,
    forgetLines: () => void lines.splice(0),
    memoryBytes: async () => process.memoryUsage.rss(),
    end: () => served.close(),
  };
}

/** The broker as a process of its own. */
export async function startProcess(dataDir: string): Promise<Target> {
  const lines: Line[] = [];
  const child = fork(fileURLToPath(new URL('broker-child.js', import.meta.url)), [dataDir]);
  child.on('message', (message: FromChild) => {
    if ('line' in message) lines.push(message.line);
  });
  const port = await answerOf(child, (message) => ('port' in message ? message.port : undefined));
  // Messages come in order: with this answer all lines before it are there.
  const memoryBytes = (): Promise<number> => {
    const answer = answerOf(child, (message) => ('memoryBytes' in message ? message.memoryBytes : undefined));
    child.send('tell' satisfies ToChild);
    return answer;
  };
  return {
    port,
    memoryBytes,
    async lines() {
      await memoryBytes();
      return lines;
    },
    forgetLines: () => void lines.splice(0),
    async end(how) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      if (how === 'kill') child.kill('SIGKILL');
      else child.send('close' satisfies ToChild);
      const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
      const [, signal] = await gone;
      clearTimeout(late);
      mustHold(how === 'kill' || signal === null, 'never-ends', () => `asked to close, it ran on for ${END_MS} ms`);
    },
  };
}

/** @throws Error where the process ends instead */
function answerOf<T>(child: ChildProcess, find: (message: FromChild) => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: FromChild): void => {
      const found = find(message);
      if (found === undefined) return;
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(found);
    };
    const onExit = (code: number | null, signal: string | null): void =>
      reject(new Error(`the broker ended by itself (status ${code}, signal ${signal})`));
    if (child.exitCode !== null || child.signalCode !== null) onExit(child.exitCode, child.signalCode);
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}
