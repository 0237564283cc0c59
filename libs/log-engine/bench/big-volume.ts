import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChildOrder, ChildReport } from './big-volume-child.ts';
import { newFolder, type Setting } from './setting.ts';

export const BIG_VOLUME = 'big';
/** The volume must not lose its oldest segments while it is filled. */
export const BIG_QUOTA_BYTES = 64e9;

/**
 * A volume of thousands of topics, written interleaved in batches of 10 by a process that was killed while it wrote.
 * Made when it is first asked for, and used by all figures that need one.
 */
export class BigVolume {
  readonly dataDir = newFolder('big');
  readonly setting: Setting;
  #isMade = false;

  constructor(setting: Setting) {
    this.setting = setting;
  }

  async make(): Promise<void> {
    if (this.#isMade) return;
    this.#isMade = true;
    const { topics, bigVolumeBytes } = this.setting;
    await this.killAfter({ task: 'fill', dataDir: this.dataDir, topics, bytes: bigVolumeBytes });
  }

  /** Opens the volume in a process of its own, lets that write on, and kills it while it does. */
  open(): Promise<ChildReport> {
    return this.killAfter({ task: 'open', dataDir: this.dataDir });
  }

  /** Lets a process of its own open the volume, read some and write some; it ends by itself. */
  use(): Promise<ChildReport> {
    return this.killAfter({ task: 'use', dataDir: this.dataDir });
  }

  removeIndexes(): void {
    const journal = join(this.dataDir, BIG_VOLUME, 'journal');
    for (const name of readdirSync(journal)) if (name.endsWith('.index')) rmSync(join(journal, name));
  }

  private async killAfter(order: ChildOrder): Promise<ChildReport> {
    const child: ChildProcess = fork(fileURLToPath(new URL('./big-volume-child.js', import.meta.url)), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const ended = once(child, 'exit');
    try {
      child.send(order);
      const reported = once(child, 'message') as Promise<[ChildReport]>;
      const first = await Promise.race([reported, ended.then(() => undefined)]);
      if (first === undefined) throw new Error(`the process that should ${order.task} the volume ended before it did`);
      return first[0];
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  }
}
