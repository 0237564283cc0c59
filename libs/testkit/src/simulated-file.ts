import type { SeededRandom } from './seeded-random.ts';

/** What a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;

/** A change of a file that no sync has covered yet. */
type PendingChange = { kind: 'write'; position: number; bytes: Buffer } | { kind: 'truncate'; sizeBytes: number };

/** Which of what was not synced a power cut leaves: a chance for each sector, drawn anew for each cut. */
const SURVIVAL_CHANCES = [0, 0.1, 0.5, 0.9, 1];

/** Bytes that grow in place. */
class Bytes {
  #room = Buffer.alloc(0);
  sizeBytes = 0;

  get content(): Buffer {
    return this.#room.subarray(0, this.sizeBytes);
  }

  write(source: Buffer, position: number): void {
    this.resize(Math.max(this.sizeBytes, position + source.length));
    source.copy(this.#room, position);
  }

  /** What is new reads as zeros. */
  resize(sizeBytes: number): void {
    if (sizeBytes > this.#room.length) {
      const room = Buffer.alloc(Math.max(sizeBytes, this.#room.length * 2, SECTOR_BYTES));
      this.content.copy(room);
      this.#room = room;
    }
    if (sizeBytes < this.sizeBytes) this.#room.fill(0, sizeBytes, this.sizeBytes);
    this.sizeBytes = sizeBytes;
  }
}

/**
 * A file in two layers: what the system shows, and what has reached the disk. Between the two lie the changes since the
 * last sync.
 */
export class SimulatedFile {
  readonly #shown = new Bytes();
  readonly #durable = new Bytes();
  #pending: PendingChange[] = [];

  get sizeBytes(): number {
    return this.#shown.sizeBytes;
  }

  get content(): Buffer {
    return this.#shown.content;
  }

  read(into: Buffer, position: number): number {
    return this.#shown.content.copy(into, 0, position);
  }

  write(source: Buffer, position: number): void {
    if (source.length === 0) return;
    const bytes = Buffer.from(source);
    this.#shown.write(bytes, position);
    this.#pending.push({ kind: 'write', position, bytes });
  }

  truncate(sizeBytes: number): void {
    this.#shown.resize(sizeBytes);
    this.#pending.push({ kind: 'truncate', sizeBytes });
  }

  sync(): void {
    for (const change of this.#pending.splice(0)) this.#applyToDisk(change);
  }

  /** The pages count as clean afterwards: what did not reach the disk now is shown, but never will. */
  failToSync(random: SeededRandom): void {
    this.#settle(random);
  }

  /** What a power cut leaves: any of the sectors written since the last sync, and any size that it had meanwhile. */
  losePower(random: SeededRandom): void {
    this.#settle(random);
    this.#shown.resize(0);
    this.#shown.write(this.#durable.content, 0);
  }

  /** Changes what lies on the disk, behind everybody's back. */
  damage(position: number, bytes: Buffer): void {
    this.#shown.write(bytes, position);
    this.#durable.write(bytes.subarray(0, Math.max(0, this.#durable.sizeBytes - position)), position);
  }

  #settle(random: SeededRandom): void {
    const chance = random.pick(SURVIVAL_CHANCES);
    for (const change of this.#pending.splice(0)) {
      if (change.kind === 'truncate') {
        if (random.chance(chance)) this.#applyToDisk(change);
        continue;
      }
      for (const sector of sectorsOf(change)) if (random.chance(chance)) this.#applyToDisk(sector);
      // The size may have been noted without the data: the rest then reads as zeros.
      const end = change.position + change.bytes.length;
      if (end > this.#durable.sizeBytes && random.chance(chance / 2)) this.#durable.resize(end);
    }
  }

  #applyToDisk(change: PendingChange): void {
    if (change.kind === 'truncate') this.#durable.resize(change.sizeBytes);
    else this.#durable.write(change.bytes, change.position);
  }
}

/** A write, cut at the sectors' borders. */
function* sectorsOf({
  position,
  bytes,
}: {
  position: number;
  bytes: Buffer;
}): Generator<PendingChange, void, undefined> {
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES));
    yield { kind: 'write', position: position + at, bytes: bytes.subarray(at, end) };
    at = end;
  }
}
