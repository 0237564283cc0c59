import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Names } from './names.ts';

const CHILD = fileURLToPath(new URL('../../test/torture/counting-child.mjs', import.meta.url));

/** One instance of the processor: always a process, until it is stopped. */
export class Instance {
  readonly id: string;
  readonly #address: string;
  readonly #names: Names;
  readonly #sessionMs: number;
  readonly #onProgress: (handled: number) => void;
  #child: ChildProcess;
  #isPaused = false;
  /** How its process ended, where nobody had killed it. */
  failure: string | undefined;

  constructor(
    id: string,
    to: { address: string; names: Names; sessionMs: number; onProgress: (handled: number) => void },
  ) {
    this.id = id;
    this.#address = to.address;
    this.#names = to.names;
    this.#sessionMs = to.sessionMs;
    this.#onProgress = to.onProgress;
    this.#child = this.#start();
  }

  /** `kill -9`, and a new process. */
  async killAndRestart(): Promise<void> {
    await this.#kill();
    this.#child = this.#start();
  }

  /** The process stands still so long, and then goes on as if nothing had been. */
  pause(forMs: number): void {
    if (this.#isPaused) return;
    const child = this.#child;
    this.#isPaused = true;
    child.kill('SIGSTOP');
    setTimeout(() => {
      if (child !== this.#child) return;
      child.kill('SIGCONT');
      this.#isPaused = false;
    }, forMs).unref();
  }

  /** Orderly. */
  async stop(): Promise<void> {
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    if (!hasEnded(this.#child)) await once(this.#child, 'exit');
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    this.#isPaused = false;
    if (hasEnded(child)) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  #start(): ChildProcess {
    const { group, input, output, deadLetter } = this.#names;
    const args = [this.#address, group, input, output, deadLetter, this.id, String(this.#sessionMs)];
    // None of those of a test run, under which packages lead to their sources.
    const child = fork(CHILD, args, { execArgv: [] });
    child.on('message', (told: { handled?: number }) => {
      if (told.handled !== undefined) this.#onProgress(told.handled);
    });
    child.once('exit', (code, signal) => {
      if (code !== 0 && signal !== 'SIGKILL') this.failure = `instance ${this.id} ended with ${code ?? signal}`;
    });
    return child;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
