import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type EngineOptions, type LogEngine, openLogEngine } from '@tickfold/log-engine';

/** How much is measured, and where. */
export interface Setting {
  rounds: number;
  /** How long a round of appends lasts. */
  roundMs: number;
  /** Bytes that the sequential read goes through. */
  readBytes: number;
  /** Size of the volume that is opened, frozen and looked at. */
  bigVolumeBytes: number;
  smallVolumeBytes: number;
  topics: number;
}

export const FULL: Setting = {
  rounds: 5,
  roundMs: 2_000,
  readBytes: 1e9,
  bigVolumeBytes: 5e9,
  smallVolumeBytes: 50e6,
  topics: 5_000,
};

/** Tells whether everything works, and roughly how fast, in half a minute. */
export const QUICK: Setting = {
  rounds: 3,
  roundMs: 300,
  readBytes: 200e6,
  bigVolumeBytes: 250e6,
  smallVolumeBytes: 50e6,
  topics: 5_000,
};

let workspace: string | undefined;

/** A new empty folder, removed when the process ends. */
export function newFolder(name: string): string {
  workspace ??= makeWorkspace();
  return mkdtempSync(join(workspace, `${name}-`));
}

/** Opens an engine of its own for `work`, on an empty folder that is removed after it. */
export async function withEngine<T>(
  options: Partial<EngineOptions>,
  work: (engine: LogEngine) => Promise<T>,
): Promise<T> {
  const dataDir = newFolder('engine');
  const engine = await openLogEngine({ ...options, dataDir });
  try {
    return await work(engine);
  } finally {
    await engine.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function makeWorkspace(): string {
  const parent = resolve(process.env.BENCH_DIR ?? '.');
  mkdirSync(parent, { recursive: true });
  const made = mkdtempSync(join(parent, '.log-bench-'));
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  return made;
}
