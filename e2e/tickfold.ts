import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type StreamConfig, streamConfigFromEnv } from '@tickfold/stream';
import { freePort } from '@tickfold/supervisor';

export const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));

/** Real feed files, where the machine has them; tests that need them are skipped by name elsewhere. */
export const SHARED_DATA = process.env.TICKFOLD_SHARED_DATA ?? join(REPOSITORY, '..', 'shared', 'data');
export const TAQ = join(SHARED_DATA, 'taq');
export const LEAN = join(SHARED_DATA, 'lean');
export const hasTaq = existsSync(join(TAQ, '080449'));
export const hasLean = existsSync(join(LEAN, 'equity/usa/tick/aig/20131008_trade.zip'));

/** Whether to take all of the large inputs, minutes longer. */
export const isLong = process.env.TICKFOLD_LONG_TESTS !== undefined;

export interface Running {
  url: string;
  broker: string;
  /** Where the streams are kept. */
  streams: StreamConfig;
  /** What it was told beyond ports and folder. */
  env: Record<string, string>;
  dataDir: string;
  process: ChildProcess;
  /** Everything printed so far, both streams. */
  output(): string;
  /** Resolves with the first match, past or to come. Rejects when Tickfold ends before. */
  untilOutput(pattern: RegExp): Promise<RegExpExecArray>;
  /** Process id of a service as last printed. */
  pid(service: string): number;
  /** As Ctrl-C. */
  stop(): Promise<{ status: number | null }>;
}

export interface StartOptions {
  args?: string[];
  env?: Record<string, string>;
  dataDir?: string;
  /** Start with `npm start`, set-up included, rather than the built launcher. */
  throughNpm?: boolean;
}

/** What runs; nothing outlives `cleanUp`. */
export const started = new Set<Running>();
const temporaryFolders = new Set<string>();

/** A folder that `cleanUp` removes. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tickfold-e2e-'));
  temporaryFolders.add(folder);
  return folder;
}

/** Starts Tickfold on free ports and temporary data; does not wait. */
export async function start({
  args = [],
  env = {},
  dataDir = join(temporaryFolder(), 'volumes'),
  throughNpm = false,
}: StartOptions = {}): Promise<Running> {
  const [webPort, brokerPort] = [await freePort(), await freePort()];
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    PORT: String(webPort),
    BROKER_PORT: String(brokerPort),
    DATA_DIR: dataDir,
    ...env,
  };
  const launcher = `import('${join(REPOSITORY, 'dist/launcher.js')}').then(({ launch }) => launch(process.argv.slice(1))).then((status) => process.exit(status))`;
  const [command, commandArgs] = throughNpm
    ? ['npm', ['start', '--', ...args]]
    : [process.execPath, ['-e', launcher, '--', ...args]];
  const child = spawn(command as string, commandArgs as string[], {
    cwd: REPOSITORY,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));

  let printed = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      for (const listener of listeners) listener();
    });
  }
  const running: Running = {
    url: `http://127.0.0.1:${webPort}`,
    broker: `127.0.0.1:${brokerPort}`,
    streams: streamConfigFromEnv({ BROKERS: `127.0.0.1:${brokerPort}`, ...env }, 'e2e'),
    env,
    dataDir,
    process: child,
    output: () => printed,
    untilOutput: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(printed);
          if (!match) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        look();
        void ended.then((status) =>
          reject(new Error(`Tickfold ended with status ${status} before it printed ${pattern}:\n${printed}`)),
        );
      }),
    pid: (service) =>
      Number([...printed.matchAll(new RegExp(`${service} is (?:ready|back) \\(pid (\\d+)\\)`, 'g'))].at(-1)?.[1]),
    stop: async () => {
      // A terminal sends Ctrl-C to the whole foreground process group.
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT');
      const status = await ended;
      started.delete(running);
      return { status };
    },
  };
  started.add(running);
  return running;
}

/** Starts and waits for "Tickfold is up". */
export async function startUp(options: StartOptions = {}): Promise<Running> {
  const running = await start(options);
  await running.untilOutput(/Tickfold is up/);
  return running;
}

/** What does not end by itself is killed, so that it never outlives the tests. */
const STOP_LIMIT_MS = 20_000;

/** Ends whatever a test left running and removes its folders. */
export async function cleanUp(): Promise<void> {
  for (const running of [...started]) {
    const { pid } = running.process;
    const killer = setTimeout(() => pid !== undefined && process.kill(-pid, 'SIGKILL'), STOP_LIMIT_MS);
    await running.stop();
    clearTimeout(killer);
  }
  for (const folder of temporaryFolders) rmSync(folder, { recursive: true, force: true });
  temporaryFolders.clear();
}
