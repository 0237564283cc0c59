import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

const children = new Set<ChildProcess>();

/** Starts a script of this folder as a process of its own, which is killed after the test at the latest. */
export function startChild(script: string, args: string[]): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  return child;
}

/** Kills it as `kill -9` does and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

afterEach(async () => {
  for (const child of children) await kill(child);
});
