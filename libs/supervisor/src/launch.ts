import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { execaNode, type ResultPromise } from 'execa';

export interface LaunchOptions {
  name: string;
  entry: string;
  env: Record<string, string>;
  heapMiB: number;
  /** Told line by line what the process prints; left out, the process prints to our own terminal. */
  onLine?: (stream: 'stdout' | 'stderr', line: string) => void;
}

/**
 * Starts a Node.js process whose end is bound to ours: the IPC channel closes when this process is gone, however it
 * went, and the app ends itself then. Never rejects.
 */
export function launch({ entry, env, heapMiB, onLine }: LaunchOptions): ResultPromise {
  const child = execaNode(entry, {
    env,
    nodeOptions: [`--max-old-space-size=${heapMiB}`, '--max-semi-space-size=8', '--enable-source-maps'],
    ipc: true,
    stdin: 'ignore',
    ...(onLine ? {} : { stdout: 'inherit' as const, stderr: 'inherit' as const }),
    buffer: false,
    reject: false,
  });
  if (onLine) {
    readLines(child.stdout, (line) => onLine('stdout', line));
    readLines(child.stderr, (line) => onLine('stderr', line));
  }
  return child as unknown as ResultPromise;
}

function readLines(stream: Readable | null | undefined, onLine: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine);
}
