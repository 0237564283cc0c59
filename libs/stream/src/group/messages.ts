/**
 * What members of a group tell each other through its coordinator, as every Kafka client writes it:
 *
 * ```
 * subscription   int16 version · int32 count · topics (int16 length · text) · int32 length · user data
 * assignment     int16 version · int32 count · topics (int16 length · text · int32 count · int32 partitions) · int32 length · user data
 * ```
 *
 * Fields of later versions follow behind; they are read by nobody here.
 */
import { StreamError } from '../errors.ts';

const VERSION = 0;
const NO_USER_DATA = -1;

/** Partitions by topic. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

export function encodeSubscription(topics: readonly string[]): Buffer {
  const parts = [int16(VERSION), int32(topics.length), ...topics.flatMap(text), int32(NO_USER_DATA)];
  return Buffer.concat(parts);
}

export function encodeAssignment(assignment: Assignment): Buffer {
  const topics = [...assignment].flatMap(([topic, partitions]) => [
    ...text(topic),
    int32(partitions.length),
    ...partitions.map(int32),
  ]);
  return Buffer.concat([int16(VERSION), int32(assignment.size), ...topics, int32(NO_USER_DATA)]);
}

/** @throws StreamError `rejected` */
export function decodeSubscription(bytes: Buffer): string[] {
  const reader = new MessageReader(bytes);
  return reader.list(() => reader.text());
}

/** @throws StreamError `rejected` */
export function decodeAssignment(bytes: Buffer): Assignment {
  // Whoever joined too late for a division is told nothing.
  if (bytes.length === 0) return new Map();
  const reader = new MessageReader(bytes);
  return new Map(reader.list(() => [reader.text(), reader.list(() => reader.int32())] as const));
}

class MessageReader {
  readonly #bytes: Buffer;
  #at = 2;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int32(): number {
    return this.#read(() => this.#bytes.readInt32BE(this.#at), 4);
  }

  text(): string {
    const length = this.#read(() => this.#bytes.readInt16BE(this.#at), 2);
    return this.#read(() => this.#bytes.toString('utf8', this.#at, this.#at + length), length);
  }

  list<T>(element: () => T): T[] {
    const count = this.int32();
    if (count > this.#bytes.length) throw unreadable();
    return Array.from({ length: Math.max(count, 0) }, element);
  }

  #read<T>(read: () => T, length: number): T {
    if (length < 0 || this.#at + length > this.#bytes.length) throw unreadable();
    const value = read();
    this.#at += length;
    return value;
  }
}

function unreadable(): StreamError {
  return new StreamError('rejected', 'another member of the group speaks what is not understood here', {
    mend: 'Let all members of a group divide by range: partition.assignment.strategy=RangeAssignor.',
  });
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer[] {
  const bytes = Buffer.from(value);
  return [int16(bytes.length), bytes];
}
