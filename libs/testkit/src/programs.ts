import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface ProgramOptions {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  input?: string;
  timeoutMs?: number;
  /** A file that keeps all it said, on both streams. */
  log?: string;
}

export interface Ended {
  status: number | null;
  stdout: string;
  /** Both streams, as they came. */
  output: string;
  timedOut: boolean;
}

/** Runs a program to its end, or kills it and its children once its time is over. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Ended> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own, so that its children end with it.
    detached: true,
  });
  let stdout = '';
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  // A program that ended before it read its input is judged by its status.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');

  let timedOut = false;
  const killGroup = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'));
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup();
  }, options.timeoutMs ?? 60_000);
  process.once('exit', killGroup);
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { status, stdout, output, timedOut };
  } finally {
    clearTimeout(timer);
    process.off('exit', killGroup);
    if (options.log !== undefined) {
      await mkdir(dirname(options.log), { recursive: true });
      await writeFile(options.log, output);
    }
  }
}

/** As {@link runProgram}, for a step that has to succeed. @throws Error with the end of what it said */
export async function mustRun(command: string, args: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const { status, stdout, output, timedOut } = await runProgram(command, args, options);
  if (status === 0) return stdout;
  const how = timedOut ? 'did not end in time' : `ended with status ${status}`;
  throw new Error(`${command} ${args.join(' ')} ${how}:\n${lastLines(output, 8)}`);
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
