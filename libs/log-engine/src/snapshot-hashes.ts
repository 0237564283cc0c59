/**
 * Hashes of the files that a snapshot froze. Files of a catalog have theirs; others are hashed once the snapshot is in place,
 * so that it is there at once however large they are. A file in it says that this is still to be done.
 */
import { join } from 'node:path';
import type { EngineEvent, SnapshotManifest } from './api.ts';
import { createDurably, type Disk, hasCode, readWhole } from './disk.ts';
import { EngineError } from './errors.ts';
import { formatChecksums, hashFile, parseChecksums } from './file-hash.ts';
import { isSnapshotName } from './names.ts';
import { CHECKSUMS_FILE, readManifest, snapshotPath, snapshotsFolder } from './snapshot-folder.ts';

export const PENDING_FILE = 'SHA256SUMS.pending';

export interface HasherContext {
  disk: Disk;
  dataDir: string;
  onEvent: (event: EngineEvent) => void;
}

/** Hashes beside everything else, one snapshot after the other. */
export class SnapshotHasher {
  readonly #context: HasherContext;
  readonly #stopping = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(context: HasherContext) {
    this.#context = context;
  }

  /** Goes on where an earlier owner of the data folder was stopped. */
  async resume(): Promise<void> {
    const { disk, dataDir } = this.#context;
    for (const name of ((await disk.list(snapshotsFolder(dataDir))) ?? []).filter(isSnapshotName)) {
      if ((await disk.look(join(snapshotPath(dataDir, name), PENDING_FILE))) !== undefined) this.hashLater(name);
    }
  }

  hashLater(name: string): void {
    this.#work = this.#work.then(async () => {
      if (this.#stopping.signal.aborted) return;
      try {
        await addHashes(this.#context, name, this.#stopping.signal);
      } catch (error) {
        if (this.#stopping.signal.aborted || isGone(error)) return;
        const detail = `the files of snapshot ${name} have no hashes: ${error instanceof Error ? error.message : error}`;
        this.#context.onEvent({ kind: 'snapshot-unhashed', detail });
      }
    });
  }

  /** Ends soon; what is not hashed then is left to the next owner. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the engine is being closed'));
    await this.#work;
  }
}

/** Files that `SHA256SUMS` can name, by their path in the snapshot's folder. */
export function hashablePaths({ files }: SnapshotManifest): string[] {
  return files.map(({ volume, path }) => `${volume}/${path}`).filter((path) => !/[\n\r\\]/.test(path));
}

async function addHashes({ disk, dataDir }: HasherContext, name: string, signal: AbortSignal): Promise<void> {
  const folder = snapshotPath(dataDir, name);
  const manifest = await readManifest(disk, dataDir, name);
  const hashes = parseChecksums(String(await readWhole(disk, join(folder, CHECKSUMS_FILE))));
  for (const path of hashablePaths(manifest)) {
    if (!hashes.has(path)) hashes.set(path, await hashFile(disk, join(folder, path), signal));
  }
  await (await createDurably(disk, folder, CHECKSUMS_FILE, [Buffer.from(formatChecksums(hashes))])).close();
  await disk.remove(join(folder, PENDING_FILE));
}

/** Deleted meanwhile. */
function isGone(error: unknown): boolean {
  return hasCode(error, 'ENOENT') || (error instanceof EngineError && error.code === 'unknown-snapshot');
}
