/**
 * The grammar in which messages are written down. A `Type<T>` reads and writes one value; types are put together to a
 * message as in Kafka's own protocol guide:
 *
 * ```ts
 * const request = struct({ groupId: string, memberId: string, groupInstanceId: since(3, nullableString, null) });
 * ```
 *
 * Integers are big-endian and signed; int64 is a bigint. From an API's first flexible version on, lengths are
 * variable-length numbers plus one ("compact") and every struct ends with tagged fields: the types switch by themselves.
 */
import { ProtocolError } from './protocol-error.ts';
import type { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** How a message lies on the wire. */
export interface Wire {
  version: number;
  flexible: boolean;
}

export interface Type<T> {
  read(reader: Reader, wire: Wire): T;
  write(writer: Writer, value: T, wire: Wire): void;
}

/** What a type's values look like in TypeScript. */
export type ValueOf<Of> = Of extends Type<infer T> ? T : never;

export const boolean: Type<boolean> = {
  read: (reader) => reader.int8() !== 0,
  write: (writer, value) => writer.int8(value ? 1 : 0),
};

export const int8: Type<number> = {
  read: (reader) => reader.int8(),
  write: (writer, value) => writer.int8(value),
};

export const int16: Type<number> = {
  read: (reader) => reader.int16(),
  write: (writer, value) => writer.int16(value),
};

export const int32: Type<number> = {
  read: (reader) => reader.int32(),
  write: (writer, value) => writer.int32(value),
};

export const int64: Type<bigint> = {
  read: (reader) => reader.int64(),
  write: (writer, value) => writer.int64(value),
};

export const float64: Type<number> = {
  read: (reader) => reader.float64(),
  write: (writer, value) => writer.float64(value),
};

const UUID_BYTES = 16;

/** 16 bytes. Reading gives a view. */
export const uuid: Type<Uint8Array> = {
  read: (reader) => reader.view(UUID_BYTES),
  write: (writer, value) => writer.bytes(value),
};

/** The id of nothing. */
export const NO_UUID: Uint8Array = new Uint8Array(UUID_BYTES);

/** int16 length (-1: null), UTF-8. */
export const nullableString: Type<string | null> = {
  read(reader, wire) {
    const length = wire.flexible ? reader.uvarint() - 1 : reader.int16();
    return length === -1 ? null : reader.text(length);
  },
  write(writer, value, wire) {
    const length = value === null ? -1 : Buffer.byteLength(value);
    if (wire.flexible) writer.uvarint(length + 1);
    else writer.int16(length);
    if (value !== null) writer.text(value, length);
  },
};

export const string: Type<string> = {
  read: (reader, wire) => notNull(nullableString.read(reader, wire), 'string'),
  write: nullableString.write,
};

/** int32 length (-1: null), bytes. Reading gives a view. */
export const nullableBytes: Type<Uint8Array | null> = {
  read(reader, wire) {
    const length = readLength32(reader, wire);
    return length === -1 ? null : reader.view(length);
  },
  write(writer, value, wire) {
    writeLength32(writer, value === null ? -1 : value.length, wire);
    if (value !== null) writer.bytes(value);
  },
};

export const bytes: Type<Uint8Array> = {
  read: (reader, wire) => notNull(nullableBytes.read(reader, wire), 'byte field'),
  write: nullableBytes.write,
};

/**
 * Record batches: on the wire a byte field, here chunks that follow on one another, so that nobody has to join them.
 * Reading gives one view, or none where the field is null or empty.
 */
export const records: Type<readonly Uint8Array[]> = {
  read(reader, wire) {
    const view = nullableBytes.read(reader, wire);
    return view === null || view.length === 0 ? [] : [view];
  },
  write(writer, chunks, wire) {
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    writeLength32(writer, length, wire);
    for (const chunk of chunks) writer.bytes(chunk);
  },
};

/** int32 count (-1: null), elements. */
export function nullableArray<T>(of: Type<T>): Type<readonly T[] | null> {
  return {
    read(reader, wire) {
      const count = readLength32(reader, wire);
      if (count === -1) return null;
      if (count < 0) throw new ProtocolError('malformed', `an array of ${count} elements`);
      reader.countElements(count);
      const elements: T[] = [];
      for (let i = 0; i < count; i++) elements.push(of.read(reader, wire));
      return elements;
    },
    write(writer, elements, wire) {
      writeLength32(writer, elements === null ? -1 : elements.length, wire);
      if (elements !== null) for (const element of elements) of.write(writer, element, wire);
    },
  };
}

export function array<T>(of: Type<T>): Type<readonly T[]> {
  const nullable = nullableArray(of);
  return {
    read: (reader, wire) => notNull(nullable.read(reader, wire), 'array'),
    write: nullable.write,
  };
}

type Fields = Readonly<Record<string, Type<unknown>>>;
type StructOf<Of extends Fields> = { [Name in keyof Of]: ValueOf<Of[Name]> };

/** A field that is only on the wire where it is not `absent`, behind its tag, in flexible versions. */
export interface Tagged<T> {
  tag: number;
  type: Type<T>;
  absent: T;
}

type TaggedFields = Readonly<Record<string, Tagged<unknown>>>;
type TaggedOf<Of extends TaggedFields> = { [Name in keyof Of]: Of[Name] extends Tagged<infer T> ? T : never };

export function tagged<T>(tag: number, type: Type<T>, absent: NoInfer<T>): Tagged<T> {
  return { tag, type, absent };
}

/** Fields in their order; in flexible versions followed by tagged fields: unknown ones are skipped. */
export function struct<const Of extends Fields, const OfTagged extends TaggedFields = Record<never, never>>(
  fields: Of,
  taggedFields?: OfTagged,
): Type<StructOf<Of> & TaggedOf<OfTagged>> {
  const entries = Object.entries(fields);
  const taggedEntries = Object.entries<Tagged<unknown>>(taggedFields ?? {}).sort(([, a], [, b]) => a.tag - b.tag);
  return {
    read(reader, wire) {
      const value: Record<string, unknown> = {};
      for (const [name, type] of entries) value[name] = type.read(reader, wire);
      for (const [name, { absent }] of taggedEntries) value[name] = absent;
      if (wire.flexible) readTaggedFields(reader, wire, taggedEntries, value);
      return value as StructOf<Of> & TaggedOf<OfTagged>;
    },
    write(writer, value, wire) {
      const values: Readonly<Record<string, unknown>> = value;
      for (const [name, type] of entries) type.write(writer, values[name], wire);
      if (wire.flexible) writeTaggedFields(writer, wire, taggedEntries, values);
    },
  };
}

/** A field of versions `first` and up. In others it is not on the wire, and reading gives `absent`. */
export function since<T>(first: number, type: Type<T>, absent: NoInfer<T>): Type<T> {
  return between(first, Number.POSITIVE_INFINITY, type, absent);
}

/** A field of versions `first` to `last`. In others it is not on the wire, and reading gives `absent`. */
export function between<T>(first: number, last: number, type: Type<T>, absent: NoInfer<T>): Type<T> {
  const isThere = ({ version }: Wire) => version >= first && version <= last;
  return {
    read: (reader, wire) => (isThere(wire) ? type.read(reader, wire) : absent),
    write(writer, value, wire) {
      if (isThere(wire)) type.write(writer, value, wire);
    },
  };
}

/** uvarint count, each: uvarint tag, uvarint size, bytes. */
export function skipTaggedFields(reader: Reader): void {
  const count = reader.uvarint();
  reader.countElements(count);
  for (let i = 0; i < count; i++) {
    reader.uvarint();
    reader.view(reader.uvarint());
  }
}

function readTaggedFields(
  reader: Reader,
  wire: Wire,
  known: readonly [string, Tagged<unknown>][],
  into: Record<string, unknown>,
): void {
  const count = reader.uvarint();
  reader.countElements(count);
  for (let i = 0; i < count; i++) {
    const tag = reader.uvarint();
    const part = reader.part(reader.uvarint());
    const found = known.find(([, each]) => each.tag === tag);
    if (found === undefined) continue;
    into[found[0]] = found[1].type.read(part, wire);
    part.expectEnd();
  }
}

function writeTaggedFields(
  writer: Writer,
  wire: Wire,
  known: readonly [string, Tagged<unknown>][],
  values: Readonly<Record<string, unknown>>,
): void {
  const there = known.filter(([name, { absent }]) => values[name] !== absent);
  writer.uvarint(there.length);
  for (const [name, { tag, type }] of there) {
    const part = new Writer();
    type.write(part, values[name], wire);
    writer.uvarint(tag);
    writer.uvarint(part.length);
    for (const chunk of part.finish()) writer.bytes(chunk);
  }
}

function readLength32(reader: Reader, wire: Wire): number {
  return wire.flexible ? reader.uvarint() - 1 : reader.int32();
}

function writeLength32(writer: Writer, length: number, wire: Wire): void {
  if (wire.flexible) writer.uvarint(length + 1);
  else writer.int32(length);
}

function notNull<T>(value: T | null, what: string): T {
  if (value === null) throw new ProtocolError('malformed', `a ${what} is null where the protocol forbids it`);
  return value;
}
