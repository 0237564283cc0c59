import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

const BUILT = join(import.meta.dirname, '../dist/main.js');
const SAMPLE = join(import.meta.dirname, '../../../data/sample');
/** A history of a second rather than of five. */
const SMALL = { SIM_SYMBOLS: '5', SIM_RATE: '100' };

describe('the history app', () => {
  test('builds a history once, telling its progress in plain lines, and says the next time that it is there', async () => {
    const dataDir = temporaryFolder();
    const first = await run({ ...SMALL, DATA_DIR: dataDir });
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(
      /^history 20%\n(history \d+%\n)*history 100%\nhistory built in .* before 2025-10-07\n$/,
    );
    expect(first.stdout).toContain('synthetic trades of 20 sessions');
    expect(tables(dataDir)).toEqual(['history.duckdb']);

    const second = await run({ ...SMALL, DATA_DIR: dataDir });
    expect(second.status).toBe(0);
    expect(second.stdout).toMatch(/^history is there already: .* before 2025-10-07\n$/);
  });

  test('leaves no history when it is killed, and the next run builds it and cleans up', async () => {
    const dataDir = temporaryFolder();
    const killed = await run({ ...SMALL, DATA_DIR: dataDir }, 'history 20%');
    expect(killed.signal).toBe('SIGKILL');
    expect(tables(dataDir)).not.toContain('history.duckdb');
    expect(tables(dataDir).length).toBeGreaterThan(0);

    const next = await run({ ...SMALL, DATA_DIR: dataDir });
    expect(next).toMatchObject({ status: 0, stderr: '' });
    expect(tables(dataDir)).toEqual(['history.duckdb']);
  });

  test('refuses to replace the history of another seed, in one message with its mend', async () => {
    const dataDir = temporaryFolder();
    await run({ ...SMALL, DATA_DIR: dataDir });
    const other = await run({ ...SMALL, DATA_DIR: dataDir, SIM_SEED: '7' });
    expect(other.status).toBe(1);
    expect(other.stderr).toMatch(/^history: .*seed 42, 5 symbols.*seed 7, 5 symbols.*\nMend: Run npm run clean .*\n$/);
  });

  test('publishes an empty history for a feed that has no past, and says so', async () => {
    const dataDir = temporaryFolder();
    const { status, stdout } = await run({ DATA_DIR: dataDir, SOURCE: `taq:${SAMPLE}` });
    expect(status).toBe(0);
    expect(stdout).toMatch(/: empty, for 2025-10-07\nThe feed has no history: .*\n$/);
    expect(tables(dataDir)).toEqual(['history.duckdb']);
  });

  test.each([
    [{ SIM_SEED: 'many' }, 2, /^history: SIM_SEED=many is not a number.*\nMend: /],
    [{ SOURCE_DATE: '2025-02-30' }, 2, /^history: SOURCE_DATE=2025-02-30 is no date.*\nMend: /],
    [{ SOURCE_DATE: '2025-12-25' }, 1, /^history: .*2025-12-25 is no trading day.*\nMend: /],
    [{ SOURCE: 'ftp:x' }, 2, /^history: SOURCE: "ftp:x" is no source.*\nMend: Give sim, taq:PATH/],
    [{ SOURCE: 'lean:/no/such/folder' }, 1, /^history: .*\/no\/such\/folder does not exist.*\nMend: /],
  ])('tells what is wrong with %j and how to mend it', async (env, status, message) => {
    const result = await run({ DATA_DIR: temporaryFolder(), ...env });
    expect(result.status).toBe(status);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toMatch(/^\s+at /m);
  });

  test('names the folder that it cannot write to', async () => {
    const dataDir = join(temporaryFolder(), 'taken');
    writeFileSync(dataDir, 'a file, not a folder');
    const { status, stderr } = await run({ ...SMALL, DATA_DIR: dataDir });
    expect(status).toBe(1);
    expect(stderr).toContain(dataDir);
    expect(stderr).toMatch(/\nMend: .*DATA_DIR/);
  });
});

interface Result {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** @param killAt text of the output at which the process is killed without notice */
function run(env: Record<string, string>, killAt?: string): Promise<Result> {
  const child = spawn(process.execPath, [BUILT], { env: { PATH: process.env.PATH, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (killAt !== undefined && stdout.includes(killAt)) child.kill('SIGKILL');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}

function tables(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'market', 'tables'));
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tickfold-history-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
