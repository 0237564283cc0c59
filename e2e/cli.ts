import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { REPOSITORY, type Running } from './tickfold.ts';

export interface CliResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

type Target = Pick<Running, 'dataDir' | 'broker'> & Partial<Pick<Running, 'env'>>;

/** Runs `npx tickfold …` against the data folder and broker of a running system. */
export function cli({ dataDir, broker, env }: Target, ...args: string[]): Promise<CliResult> {
  const child = spawn(process.execPath, [join(REPOSITORY, 'node_modules/.bin/tickfold'), ...args], {
    cwd: REPOSITORY,
    env: { ...process.env, ...env, DATA_DIR: dataDir, BROKERS: broker },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const result: CliResult = { status: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    result.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    result.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ ...result, status }));
  });
}

/** As `cli`, with `--json` parsed. Fails unless the status is the expected one. */
export async function cliJson<Json>(running: Target, args: string[], status = 0): Promise<Json> {
  const result = await cli(running, ...args, '--json');
  if (result.status !== status)
    throw new Error(`tickfold ${args.join(' ')} ended with status ${result.status}:\n${result.stderr}${result.stdout}`);
  return JSON.parse(result.stdout) as Json;
}
