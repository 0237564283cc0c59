import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const MAIN = join(import.meta.dirname, '../dist/main.js');

/** `apps/ingest`, built, as a process of its own. */
export class IngestProcess {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #seen: string[] = [];
  #stderr = '';
  #onChange = () => {};

  constructor(env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env.PATH, HEALTH_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr += text;
    });
    createInterface(this.#child.stdout).on('line', (line) => {
      this.#seen.push(JSON.parse(line).msg);
      this.#onChange();
    });
    this.#child.once('exit', () => this.#onChange());
  }

  /** How often it has begun to send, after its start and after broken connections. */
  get timesFlowing(): number {
    return this.#seen.filter((msg) => msg === 'ticks flow').length;
  }

  get isComplete(): boolean {
    return this.#seen.includes('session complete');
  }

  /** Resolves once it sends for the so-manieth time, or has sent everything. @throws Error where it ended by itself */
  async untilFlowing(times: number): Promise<void> {
    while (this.timesFlowing < times && !this.isComplete) await this.#change();
  }

  async untilComplete(): Promise<void> {
    while (!this.isComplete) await this.#change();
  }

  /** `kill -9` */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  async #change(): Promise<void> {
    if (this.#child.exitCode !== null) throw new Error(`ingest ended: ${this.#stderr}${this.#seen.join('\n')}`);
    await new Promise<void>((resolve) => {
      this.#onChange = resolve;
    });
  }
}
