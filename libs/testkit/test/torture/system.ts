import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@tickfold/supervisor';

const LAUNCHER = fileURLToPath(new URL('../../../../../dist/launcher.js', import.meta.url));
const START = `import(${JSON.stringify(LAUNCHER)}).then(({ launch }) => launch(process.argv.slice(1))).then((status) => process.exit(status))`;
const LINES_KEPT = 40;
/** Lines before a service's end that may say why. */
const LAST_WORDS = 3;
const RESTARTED = / died \(/;

/** The whole system as `npm start` starts it, after set-up. */
export interface System {
  /** `host:port` of its own broker, where it has one. */
  readonly broker: string;
  /** What its supervisor said of services that ended and were started again. */
  readonly restarts: readonly string[];
  /** @throws Error where it has ended by itself */
  mustRun(): void;
  stop(): Promise<void>;
}

export interface SystemOptions {
  dataDir: string;
  speed: number;
  seed: number;
  /** Settings of the engine and of the source. */
  env: Readonly<Record<string, string>>;
}

/** Starts it on free ports and waits until it says that it is up. @throws Error with what it printed where it ends instead */
export async function startSystem({ dataDir, speed, seed, env }: SystemOptions): Promise<System> {
  const [webPort, brokerPort] = [await freePort(), await freePort()];
  const child = spawn(
    process.execPath,
    ['-e', START, '--', '--source', 'sim', '--seed', String(seed), '--speed', String(speed)],
    {
      cwd: join(LAUNCHER, '../..'),
      env: { ...process.env, PORT: String(webPort), BROKER_PORT: String(brokerPort), DATA_DIR: dataDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const lines: string[] = [];
  const restarts: string[] = [];
  let onOutput = () => {};
  let isUp = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) {
        if (line === '') continue;
        if (RESTARTED.test(line)) restarts.push([...lines.slice(-LAST_WORDS), line].join('\n'));
        if (/Tickfold is up/.test(line)) isUp = true;
        lines.push(line);
        if (lines.length > LINES_KEPT) lines.shift();
      }
      onOutput();
    });
  }
  child.once('exit', () => onOutput());
  const mustRun = (): void => {
    if (hasEnded(child)) throw new Error(`the system ended by itself:\n${lines.join('\n')}`);
  };
  const system: System = {
    broker: `127.0.0.1:${brokerPort}`,
    restarts,
    mustRun,
    async stop() {
      if (hasEnded(child)) return;
      child.kill('SIGINT');
      await once(child, 'exit');
    },
  };
  while (!isUp) {
    mustRun();
    await new Promise<void>((resolve) => {
      onOutput = resolve;
    });
  }
  return system;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
