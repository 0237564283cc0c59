/**
 * Side segments: one file that holds what is left of several sealed segments, in the place of the newest of them. It counts
 * from the moment of its rename; then those are obsolete. Bytes and recovery: docs/formats/journal.md.
 */
import { join } from 'node:path';
import { batchAttributes, batchBaseOffset, batchLastOffsetDelta, batchMaxTimestampMs } from './batch-header.ts';
import { type Disk, type DiskFile, PARTIAL } from './disk.ts';
import { FRAME_TYPES, frameSizeBytes, writeFrameAround } from './frame.ts';
import { FRAME_HEADER, SEGMENT_HEADER } from './layout.ts';
import { openSealed, type SealedSegment, writeIndex } from './sealed-segment.ts';
import { INDEX_ENDING, SEGMENT_ENDING, segmentBaseName } from './segment.ts';
import { type BatchReading, forEachBatch, type StoredBatch } from './segment-batches.ts';
import { readSegmentHeader, writeSegmentHeader } from './segment-header.ts';
import { GrowingIndex } from './segment-index.ts';

/** So many bytes gather before they are written. */
const WRITE_BYTES = 1024 * 1024;

/** What is to be carried, and what is left of it. */
export interface Carriage extends BatchReading {
  volumeId: Buffer;
  /** Segments that stand next to each other, oldest first. */
  run: readonly SealedSegment[];
  nowMs: number;
  /** What remains of a batch: itself, one with fewer records, or nothing. It keeps its offsets. */
  remainsOf(batch: StoredBatch): Promise<Buffer | undefined> | Buffer | undefined;
}

/**
 * Writes the side segment and puts it in place, durably; a failure leaves nothing. Where nothing is left it is empty: it
 * still says, durably, that what was there does not count any more.
 */
export async function writeSideSegment(carriage: Carriage): Promise<SealedSegment> {
  const { place, run, volumeId } = carriage;
  const last = run.at(-1)!;
  const side = {
    generation: Math.max(...run.map(({ generation }) => generation)) + 1,
    carriesFrom: run[0]!.carriesFrom,
    appendedUntilMs: Math.max(...run.map(({ appendedUntilMs }) => appendedUntilMs)),
  };
  const name = { number: last.number, generation: side.generation };
  const header = Buffer.alloc(SEGMENT_HEADER.sizeBytes);
  writeSegmentHeader(header, { volumeId, segmentNumber: name.number, createdAtMs: carriage.nowMs, side });
  const path = join(place.folder, segmentBaseName(name) + SEGMENT_ENDING);
  const file = await place.disk.create(path + PARTIAL);
  const writer = new SideWriter(file, name.number, header);
  try {
    for (const segment of run) {
      await forEachBatch(carriage, segment, async (batch) => {
        const remains = await carriage.remainsOf(batch);
        if (remains !== undefined) await writer.add(batch.partitionId, batch.appendTimeMs, remains);
      });
    }
    await writer.finish();
    const identity = {
      volumeId,
      segmentNumber: name.number,
      generation: name.generation,
      segmentBytes: writer.end,
      segmentHeaderCrc: readSegmentHeader(header, path)!.crc,
    };
    // The index first: without its segment it is known as a left-over.
    await writeIndex(place, identity, writer.index);
    carriage.checkGoingOn();
    await place.disk.rename(path + PARTIAL, path);
    await place.disk.syncFolder(place.folder);
    const sealed = await openSealed(place, identity, side);
    if (sealed === undefined) throw new Error(`the index just written for ${path} cannot be read`);
    return sealed;
  } catch (error) {
    await removeQuietly(place.disk, path + PARTIAL);
    await removeQuietly(place.disk, join(place.folder, segmentBaseName(name) + INDEX_ENDING) + PARTIAL);
    throw error;
  } finally {
    await file.close();
  }
}

/** Nothing depends on it: what stays is removed on opening. */
async function removeQuietly(disk: Disk, path: string): Promise<void> {
  await disk.remove(path).catch(() => undefined);
}

/** Writes frames one after the other, and keeps their index. */
class SideWriter {
  readonly index = new GrowingIndex();
  /** Where the next frame will lie. */
  end: number;
  readonly #file: DiskFile;
  readonly #number: number;
  #gathered: Buffer[];
  #gatheredBytes: number;
  #writtenTo = 0;

  constructor(file: DiskFile, number: number, header: Buffer) {
    this.#file = file;
    this.#number = number;
    this.#gathered = [header];
    this.#gatheredBytes = header.length;
    this.end = header.length;
  }

  async add(partitionId: number, appendTimeMs: number, batch: Buffer): Promise<void> {
    const frame = Buffer.allocUnsafe(frameSizeBytes(batch.length));
    batch.copy(frame, FRAME_HEADER.sizeBytes);
    const place = {
      type: FRAME_TYPES.batch,
      partitionId,
      segmentNumber: this.#number,
      position: this.end,
      appendTimeMs,
    };
    writeFrameAround(frame, 0, batch.length, place);
    this.index.add(
      partitionId,
      batchBaseOffset(batch, 0),
      batchLastOffsetDelta(batch, 0),
      batchMaxTimestampMs(batch, 0),
      this.end,
      batch.length,
      batchAttributes(batch, 0),
    );
    this.#gathered.push(frame);
    this.#gatheredBytes += frame.length;
    this.end += frame.length;
    if (this.#gatheredBytes >= WRITE_BYTES) await this.#write();
  }

  async finish(): Promise<void> {
    await this.#write();
    await this.#file.sync();
  }

  async #write(): Promise<void> {
    const buffers = this.#gathered;
    this.#gathered = [];
    await this.#file.write(buffers, this.#writtenTo);
    this.#writtenTo += this.#gatheredBytes;
    this.#gatheredBytes = 0;
  }
}
