/** Freezing volumes of a live engine: who is cut when, and what has to wait meanwhile. */
import { join } from 'node:path';
import type { EngineEvent, Pins, SnapshotManifest } from './api.ts';
import type { Disk } from './disk.ts';
import type { FileCatalog } from './file-catalog.ts';
import type { Journal } from './journal.ts';
import { checkVolumeName, volumeOfSnapshot } from './names.ts';
import { snapshotPath } from './snapshot-folder.ts';
import { PENDING_FILE, SnapshotHasher } from './snapshot-hashes.ts';
import { type SnapshotOrder, snapshotExists, type VolumeCut, writeSnapshot } from './snapshot-writer.ts';

export interface SnapshotContext {
  disk: Disk;
  dataDir: string;
  clock: () => number;
  onEvent: (event: EngineEvent) => void;
  catalog: FileCatalog;
  /** @throws EngineError `unknown-volume` */
  journalOf(volume: string): Journal;
  /** Does the work when no transaction has ended in one volume and not in another. */
  betweenEndings<T>(work: () => T): Promise<T>;
}

/** Takes snapshots, and knows those that are under way. */
export class SnapshotTaker {
  readonly #context: SnapshotContext;
  readonly #hasher: SnapshotHasher;
  readonly #taking = new Map<string, { volumes: readonly string[]; taken: Promise<SnapshotManifest> }>();

  constructor(context: SnapshotContext) {
    this.#context = context;
    this.#hasher = new SnapshotHasher(context);
  }

  /** See `LogEngine.createSnapshot`. */
  async take(name: string, pins: Pins | (() => Pins), others: readonly string[]): Promise<SnapshotManifest> {
    const volumes = [...new Set([volumeOfSnapshot(name), ...others])];
    for (const volume of volumes) checkVolumeName(volume);
    if (this.#taking.has(name)) throw snapshotExists(name);
    const taken = this.#take(name, volumes, pins).finally(() => this.#taking.delete(name));
    this.#taking.set(name, { volumes, taken });
    return taken;
  }

  /** Resolves when none is under way any more of that volume; of any, where none is named. */
  async idle(volume?: string): Promise<void> {
    const waited = [...this.#taking.values()].filter(({ volumes }) => volume === undefined || volumes.includes(volume));
    await Promise.allSettled(waited.map(({ taken }) => taken));
  }

  /** Goes on with what an earlier owner of the data folder has left undone. */
  resume(): Promise<void> {
    return this.#hasher.resume();
  }

  async close(): Promise<void> {
    await this.idle();
    await this.#hasher.stop();
  }

  async #take(name: string, volumes: readonly string[], pins: Pins | (() => Pins)): Promise<SnapshotManifest> {
    const { disk, dataDir, catalog, journalOf } = this.#context;
    const journals = volumes.map(journalOf);
    const path = snapshotPath(dataDir, name);
    // So the cut holds for files too: those of the catalog are linked as the catalog has them at the cut.
    const manifest = await catalog.whileUnchanged(volumes, async () => {
      if ((await disk.look(path)) !== undefined) throw snapshotExists(name);
      return this.#cutAndWrite(name, journals, pins);
    });
    if ((await disk.look(join(path, PENDING_FILE))) !== undefined) this.#hasher.hashLater(name);
    return manifest;
  }

  async #cutAndWrite(name: string, journals: readonly Journal[], pins: Pins | (() => Pins)): Promise<SnapshotManifest> {
    const { disk, dataDir, clock, betweenEndings } = this.#context;
    const cuts: VolumeCut[] = [];
    // Nothing is awaited in it: so it is one moment for all volumes, and for what is pinned.
    const cutAll = (): SnapshotOrder => {
      for (const journal of journals) cuts.push({ volume: journal.volume, cut: journal.cut() });
      return { name, createdAtMs: clock(), pins: typeof pins === 'function' ? pins() : pins };
    };
    try {
      // Within one volume a transaction ends in one turn.
      const order = journals.length > 1 ? await betweenEndings(cutAll) : cutAll();
      await Promise.all(cuts.map(({ cut }) => cut.sealed));
      return await writeSnapshot(disk, dataDir, order, cuts);
    } finally {
      for (const { cut } of cuts) cut.release();
    }
  }
}
