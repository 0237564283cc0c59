import { join, resolve } from 'node:path';
import { volumeExists } from './adoption.ts';
import type { EngineEvent, EngineOptions, LogEngine, StagedVolume } from './api.ts';
import { type Disk, nodeDisk } from './disk.ts';
import { openEngineOn } from './engine.ts';
import { EngineError } from './errors.ts';
import type { FolderLock } from './folder-lock.ts';
import { checkVolumeName } from './names.ts';
import {
  finishedVolume,
  makeStagingFolder,
  markFinished,
  newStagingId,
  removeStaging,
  stagingPath,
  sweepStaging,
} from './staging-folder.ts';
import { unusable } from './unusable-folder.ts';

/**
 * Begins a volume that nobody sees until it is adopted. Needs no ownership of the data folder. Call `discard` in the
 * end, also after the adoption; until then, or this process's death, it is left alone.
 * @param options of the engine that writes it
 * @throws EngineError `illegal-name`, `volume-exists`, `disk-full`, `folder-unusable`
 */
export async function stageVolume(
  dataDir: string,
  volume: string,
  options: Omit<EngineOptions, 'dataDir'> = {},
): Promise<StagedVolume> {
  const disk = options.disk ?? nodeDisk;
  checkVolumeName(volume);
  const folder = resolve(dataDir);
  if ((await disk.look(join(folder, volume))) !== undefined) {
    throw volumeExists(volume);
  }
  const id = newStagingId();
  let held: FolderLock | undefined;
  try {
    await sweepStaging(disk, folder, (detail) => options.onEvent?.({ kind: 'leftover-stays', detail }));
    held = await makeStagingFolder(disk, folder, id);
    await disk.makeFolder(join(stagingPath(folder, id), volume));
    const failures: EngineEvent[] = [];
    const onEvent = (event: EngineEvent): void => {
      if (event.kind === 'volume-stopped') failures.push(event);
      options.onEvent?.(event);
    };
    const engine = await openEngineOn({ ...options, onEvent, dataDir: stagingPath(folder, id) }, volume);
    return new Staged({ disk, dataDir: folder, id, volume, engine, held, failures });
  } catch (error) {
    await removeStaging(disk, folder, id);
    await held?.release();
    throw unusable(stagingPath(folder, id), error);
  }
}

/** A finished staged volume, opened by who takes it in elsewhere. */
export interface FinishedStaging {
  readonly volume: string;
  readonly engine: LogEngine;
  close(): Promise<void>;
}

/**
 * Opens a finished staged volume to be read: nobody else adopts or opens it meanwhile.
 * @throws EngineError `unknown-staging`, `folder-in-use`
 */
export async function openStaged(
  dataDir: string,
  id: string,
  { disk = nodeDisk }: { disk?: Disk } = {},
): Promise<FinishedStaging> {
  const folder = resolve(dataDir);
  const { volume } = await finishedVolume(disk, folder, id);
  const options = { disk, maintenanceIntervalMs: 0, volumeQuotaBytes: Number.MAX_SAFE_INTEGER };
  const engine = await openEngineOn({ ...options, dataDir: stagingPath(folder, id) }, volume);
  return { volume, engine, close: () => engine.close() };
}

interface StagedParts {
  disk: Disk;
  dataDir: string;
  id: string;
  volume: string;
  engine: LogEngine;
  held: FolderLock;
  /** Why the engine takes no more appends, once it does not. */
  failures: readonly EngineEvent[];
}

class Staged implements StagedVolume {
  readonly id: string;
  readonly volume: string;
  readonly engine: LogEngine;
  readonly #parts: StagedParts;
  #finishing: Promise<void> | undefined;
  #discarding: Promise<void> | undefined;

  constructor(parts: StagedParts) {
    this.id = parts.id;
    this.volume = parts.volume;
    this.engine = parts.engine;
    this.#parts = parts;
  }

  /** @throws EngineError `volume-stopped`: not all that was appended is there */
  finish(): Promise<void> {
    this.#finishing ??= this.#finish();
    return this.#finishing;
  }

  discard(): Promise<void> {
    this.#discarding ??= this.#discard();
    return this.#discarding;
  }

  async #finish(): Promise<void> {
    await this.engine.close();
    const failure = this.#parts.failures[0];
    if (failure !== undefined) {
      const mend = failure.mend === undefined ? {} : { mend: failure.mend };
      throw new EngineError('volume-stopped', failure.detail, mend);
    }
    await markFinished(this.#parts.disk, this.#parts.dataDir, this.id, { volume: this.volume });
  }

  async #discard(): Promise<void> {
    try {
      await this.engine.close();
    } finally {
      await removeStaging(this.#parts.disk, this.#parts.dataDir, this.id);
      await this.#parts.held.release();
    }
  }
}
