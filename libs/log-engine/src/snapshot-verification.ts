/** Reading a snapshot from its first byte to its last: what it says of itself against what is there. */
import { join, resolve } from 'node:path';
import type { SnapshotManifest, SnapshotVerification, WorkOptions } from './api.ts';
import { batchBaseOffset, batchLastOffsetDelta } from './batch-header.ts';
import { parseControlRecord } from './control-record.ts';
import { type Disk, type DiskFile, hasCode, nodeDisk, readWhole } from './disk.ts';
import { hashFile, parseChecksums } from './file-hash.ts';
import { encodeIndex, type IndexedSegment } from './index-file.ts';
import { SEGMENT_HEADER } from './layout.ts';
import { volumeOfSnapshot } from './names.ts';
import { OffsetCheck } from './offset-check.ts';
import { addToIndex } from './sealed-segment.ts';
import { INDEX_ENDING, SEGMENT_ENDING, segmentBaseName } from './segment.ts';
import { isNamed, readSegmentHeader, type SegmentHeader } from './segment-header.ts';
import { GrowingIndex } from './segment-index.ts';
import { scanSegment } from './segment-scan.ts';
import {
  CHECKSUMS_FILE,
  type FrozenVolume,
  readCheckpoint,
  readManifest,
  type SegmentRow,
  type SnapshotCheckpoint,
  snapshotPath,
} from './snapshot-folder.ts';

/**
 * Checks every byte of a snapshot: segments frame by frame, that their offsets are all there, indexes, and files by their
 * hashes. Nothing is written. From any process.
 * @throws EngineError `unknown-snapshot`, `illegal-name`, `format-newer`; `snapshot-damaged` where what describes it is, so that
 * nothing else can be told. Whatever else is wrong stands in the answer.
 */
export async function verifySnapshot(
  dataDir: string,
  name: string,
  { disk = nodeDisk, ...options }: WorkOptions & { disk?: Disk } = {},
): Promise<SnapshotVerification> {
  volumeOfSnapshot(name);
  const manifest = await readManifest(disk, resolve(dataDir), name);
  const checkpoint = await readCheckpoint(disk, resolve(dataDir), manifest);
  const folder = snapshotPath(resolve(dataDir), name);
  const checksums = parseChecksums(String(await readWhole(disk, join(folder, CHECKSUMS_FILE))));
  return verifyFolder({ disk, folder, manifest, checkpoint, checksums }, options);
}

/** A snapshot that lies in a folder, with what was read of its description. */
export interface SnapshotInFolder {
  disk: Disk;
  folder: string;
  manifest: SnapshotManifest;
  checkpoint: SnapshotCheckpoint;
  /** By path in the folder. */
  checksums: ReadonlyMap<string, string>;
}

export function verifyFolder(snapshot: SnapshotInFolder, options: WorkOptions): Promise<SnapshotVerification> {
  return new Verification(snapshot, options).run();
}

class Verification {
  readonly #snapshot: SnapshotInFolder;
  readonly #options: WorkOptions;
  readonly #result: SnapshotVerification;
  #doneBytes = 0;

  constructor(snapshot: SnapshotInFolder, options: WorkOptions) {
    this.#snapshot = snapshot;
    this.#options = options;
    this.#result = { manifest: snapshot.manifest, segments: 0, batches: 0, files: 0, unhashedFiles: 0, damages: [] };
  }

  async run(): Promise<SnapshotVerification> {
    for (const volume of this.#snapshot.checkpoint.volumes) await this.#checkVolume(volume);
    for (const file of this.#snapshot.manifest.files) await this.#checkFile(file);
    return this.#result;
  }

  async #checkVolume(volume: FrozenVolume): Promise<void> {
    const offsets = new OffsetCheck(volume.checkpoint);
    for (const row of volume.segments) await this.#checkSegment(volume, row, offsets);
    const path = `${volume.name}/journal`;
    for (const detail of offsets.missing()) this.#damaged(path, detail);
    const frozen = new Set(this.#snapshot.manifest.files.map((file) => `${file.volume}/${file.path}`));
    for (const file of volume.checkpoint.files ?? []) {
      const filePath = `${volume.name}/${file.path}`;
      if (!frozen.has(filePath)) this.#damaged(filePath, 'is in the catalog, but was not there to be frozen');
    }
  }

  async #checkSegment(volume: FrozenVolume, row: SegmentRow, offsets: OffsetCheck): Promise<void> {
    const [number, sizeBytes, generation = 0] = row;
    const baseName = `${volume.name}/journal/${segmentBaseName({ number, generation })}`;
    const path = baseName + SEGMENT_ENDING;
    const opened = await this.#open(path);
    if (opened === undefined) return;
    const file = this.#watched(opened);
    try {
      const found = await file.sizeBytes();
      if (found !== sizeBytes) return this.#damaged(path, `has ${found} bytes instead of ${sizeBytes}`);
      const bytes = Buffer.alloc(SEGMENT_HEADER.sizeBytes);
      const header = readSegmentHeader(bytes.subarray(0, await file.read(bytes, 0)), path);
      if (header === undefined || !isNamed(header, { number, generation }) || !belongsTo(header, volume)) {
        return this.#damaged(path, 'does not begin with its segment header');
      }
      this.#result.segments++;
      const index = await this.#scan(file, path, { number, sizeBytes, isSide: generation > 0 }, offsets);
      if (index === undefined) return;
      const { volumeId, crc: segmentHeaderCrc } = header;
      const identity = { volumeId, segmentNumber: number, generation, segmentBytes: sizeBytes, segmentHeaderCrc };
      await this.#checkIndex(baseName + INDEX_ENDING, identity, index);
    } finally {
      await file.close();
    }
  }

  /** Gives what the segment's index has to hold; undefined where the segment is damaged. */
  async #scan(
    file: DiskFile,
    path: string,
    segment: { number: number; sizeBytes: number; isSide: boolean },
    offsets: OffsetCheck,
  ): Promise<GrowingIndex | undefined> {
    const index = new GrowingIndex();
    const { number: segmentNumber, sizeBytes, isSide } = segment;
    const { damaged } = await scanSegment(file, { segmentNumber, sizeBytes }, 'skip', {
      batch: (partitionId, position, bytes, at, batchBytes) => {
        if (!addToIndex(index, partitionId, position, bytes, at, batchBytes)) return false;
        this.#result.batches++;
        const baseOffset = batchBaseOffset(bytes, at);
        const endOffset = baseOffset + batchLastOffsetDelta(bytes, at) + 1;
        for (const detail of offsets.batch(partitionId, baseOffset, endOffset, isSide)) this.#damaged(path, detail);
        return true;
      },
      control: (text) => void parseControlRecord(text),
      opening: () => undefined,
      padding: (position, bytes) => {
        if (!bytes.every((byte) => byte === 0)) this.#damaged(path, `not only zeros behind the frame at ${position}`);
      },
    });
    for (const { from, to } of damaged) this.#damaged(path, `bytes ${from} to ${to} hold no whole frame`);
    return damaged.length === 0 ? index : undefined;
  }

  async #checkIndex(path: string, segment: IndexedSegment, { lists }: GrowingIndex): Promise<void> {
    const bytes = await readWhole(this.#snapshot.disk, join(this.#snapshot.folder, path));
    if (bytes === undefined) return this.#damaged(path, 'is missing');
    const isThis = [true, false].some((tellsEntryCrcs) => {
      const { header, directory, entries } = encodeIndex(segment, lists, tellsEntryCrcs);
      return bytes.equals(Buffer.concat([header, directory, entries]));
    });
    if (!isThis) this.#damaged(path, 'does not tell what its segment holds');
  }

  async #checkFile({ volume, path: inVolume, sizeBytes }: SnapshotManifest['files'][number]): Promise<void> {
    const { disk, folder, checksums } = this.#snapshot;
    const path = `${volume}/${inVolume}`;
    this.#options.signal?.throwIfAborted();
    const found = await disk.look(join(folder, path));
    if (found?.kind !== 'file') return this.#damaged(path, 'is missing');
    if (found.sizeBytes !== sizeBytes) {
      return this.#damaged(path, `has ${found.sizeBytes} bytes instead of ${sizeBytes}`);
    }
    this.#result.files++;
    const expected = checksums.get(path);
    // Read all the same: a disk that cannot give it back is found out.
    const hash = await hashFile(disk, join(folder, path), this.#options.signal);
    if (expected === undefined) this.#result.unhashedFiles++;
    else if (hash !== expected) this.#damaged(path, `does not match ${CHECKSUMS_FILE}`);
    this.#progress(sizeBytes);
  }

  async #open(path: string): Promise<DiskFile | undefined> {
    try {
      return await this.#snapshot.disk.openForReading(join(this.#snapshot.folder, path));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      this.#damaged(path, 'is missing');
      return undefined;
    }
  }

  /** The same file, which tells how far it was read. */
  #watched(file: DiskFile): DiskFile {
    const read = async (into: Buffer, position: number): Promise<number> => {
      this.#options.signal?.throwIfAborted();
      const bytes = await file.read(into, position);
      this.#progress(bytes);
      return bytes;
    };
    return { ...file, read };
  }

  #progress(bytes: number): void {
    const total = this.#snapshot.manifest.sizeBytes;
    // A scan may read a few bytes twice, where a frame does not end with what was read.
    this.#doneBytes = Math.min(this.#doneBytes + bytes, total);
    this.#options.onProgress?.({ done: this.#doneBytes, total });
  }

  #damaged(path: string, detail: string): void {
    this.#result.damages.push({ path, detail });
  }
}

function belongsTo(header: SegmentHeader, volume: FrozenVolume): boolean {
  return header.volumeId.toString('hex') === volume.volumeId;
}
