/**
 * What clients set on the broker and on groups, and whom they gave credentials: one file in the data folder, replaced as
 * a whole, so that a restart shows what a client was told is kept.
 */
import { join } from 'node:path';
import { createDurably, nodeDisk, readWhole, writeFailure } from '@tickfold/log-engine';
import type { Credential } from '../accounts.ts';
import type { Overrides } from './broker-configs.ts';

const FILE = 'broker-settings.json';

export interface Settings {
  readonly broker: Overrides;
  readonly groups: Readonly<Record<string, Overrides>>;
  readonly users: Readonly<Record<string, readonly Credential[]>>;
}

const NONE: Settings = { broker: {}, groups: {}, users: {} };

export class KeptSettings {
  readonly #folder: string | undefined;
  #current: Settings;
  /** One change after another: each begins with what the one before has left. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(folder: string | undefined, current: Settings) {
    this.#folder = folder;
    this.#current = current;
  }

  /**
   * @param folder left out: what is set counts until the broker ends
   * @throws Error with a mend where the file is damaged
   */
  static async open(folder: string | undefined): Promise<KeptSettings> {
    const content = folder === undefined ? undefined : await readWhole(nodeDisk, join(folder, FILE));
    return new KeptSettings(folder, content === undefined ? NONE : parsed(content, join(folder!, FILE)));
  }

  get current(): Settings {
    return this.#current;
  }

  /**
   * Durable when resolved.
   * @param change gives what is changed of the settings, or throws why nothing may be
   * @throws EngineError `disk-full`, `folder-unusable`: then nothing is changed
   */
  change(change: (now: Settings) => Partial<Settings>): Promise<void> {
    const turn = this.#last.then(() => this.#change(change));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #change(change: (now: Settings) => Partial<Settings>): Promise<void> {
    const next = { ...this.#current, ...change(this.#current) };
    if (this.#folder !== undefined) await write(this.#folder, next);
    this.#current = next;
  }
}

async function write(folder: string, settings: Settings): Promise<void> {
  try {
    const content = Buffer.from(`${JSON.stringify(settings, null, 2)}\n`);
    await (await createDurably(nodeDisk, folder, FILE, [content])).close();
  } catch (error) {
    throw writeFailure('the settings that clients change', error, 'set them again');
  }
}

function parsed(content: Buffer, path: string): Settings {
  try {
    return { ...NONE, ...(JSON.parse(content.toString()) as Partial<Settings>) };
  } catch (cause) {
    const mend = 'Mend it by hand, or remove it: then the broker starts without what clients set.';
    throw Object.assign(new Error(`${path} is no JSON`, { cause }), { mend });
  }
}

/** The record with one more entry, or with none of that name where nothing is left of it. */
export function withEntry<T extends object>(
  record: Readonly<Record<string, T>>,
  name: string,
  value: T,
): Record<string, T> {
  const entries = Object.entries(record).filter(([other]) => other !== name);
  return Object.fromEntries(Object.keys(value).length === 0 ? entries : [...entries, [name, value]]);
}
