import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** One of Tickfold's apps, as `npm start` runs it. */
export class AppProcess {
  readonly #name: string;
  readonly #child: ChildProcessByStdio<null, Readable, null>;

  constructor(name: string, env: Readonly<Record<string, string>>, preloaded: readonly string[] = []) {
    this.#name = name;
    const main = fileURLToPath(new URL(`../../../${name}/dist/main.js`, import.meta.url));
    this.#child = spawn(process.execPath, [...preloaded.map((module) => `--import=${module}`), main], {
      env: { PATH: process.env.PATH, HEALTH_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const kill = (): void => void this.#child.kill('SIGKILL');
    process.once('exit', kill);
    this.#child.once('exit', () => process.off('exit', kill));
  }

  /** @throws Error where it ends without having said it */
  async untilItSays(message: string): Promise<void> {
    for await (const line of createInterface(this.#child.stdout)) if (line.includes(`"${message}"`)) return;
    throw new Error(`${this.#name} ended`);
  }

  async untilItEnds(): Promise<void> {
    this.#child.stdout.resume();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    if (this.#child.exitCode !== 0) throw new Error(`${this.#name} ended with status ${this.#child.exitCode}`);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.untilItEnds();
  }
}
