/**
 * The fields of everything that the engine writes around record batches, in order. `docs/formats/journal.md` holds the
 * same tables, and a test keeps the two equal. Integers are little-endian, unlike those inside a record batch: so the
 * index lies in memory as it lies in its file.
 */

const TYPE_BYTES = { u8: 1, u16: 2, u32: 4, i64: 8, bytes8: 8, bytes16: 16 } as const;

export type FieldType = keyof typeof TYPE_BYTES;

export interface Layout<Name extends string = string> {
  readonly title: string;
  readonly sizeBytes: number;
  readonly fields: readonly { readonly name: Name; readonly type: FieldType; readonly at: number }[];
  /** Position of each field from the structure's start. */
  readonly at: Readonly<Record<Name, number>>;
}

function layout<const Fields extends readonly (readonly [string, FieldType])[]>(
  title: string,
  namesAndTypes: Fields,
): Layout<Fields[number][0]> {
  type Name = Fields[number][0];
  let sizeBytes = 0;
  const at = {} as Record<Name, number>;
  const fields = namesAndTypes.map(([name, type]: readonly [Name, FieldType]) => {
    const field = { name, type, at: sizeBytes };
    at[name] = sizeBytes;
    sizeBytes += TYPE_BYTES[type];
    return field;
  });
  return { title, sizeBytes, fields, at };
}

export const SEGMENT_HEADER = layout('Segment header', [
  ['magic', 'bytes8'],
  ['formatVersion', 'u32'],
  ['segmentNumber', 'u32'],
  ['volumeId', 'bytes16'],
  ['createdAtMs', 'i64'],
  ['appendedUntilMs', 'i64'],
  ['generation', 'u32'],
  ['carriesFrom', 'u32'],
  ['reserved', 'u32'],
  ['crc', 'u32'],
]);

export const FRAME_HEADER = layout('Frame header', [
  ['crc', 'u32'],
  ['payloadBytes', 'u32'],
  ['type', 'u8'],
  ['flags', 'u8'],
  ['reserved', 'u16'],
  ['partitionId', 'u32'],
  ['segmentNumber', 'u32'],
  ['positionInEights', 'u32'],
  ['appendTimeMs', 'i64'],
]);

export const INDEX_HEADER = layout('Index header', [
  ['magic', 'bytes8'],
  ['formatVersion', 'u32'],
  ['segmentNumber', 'u32'],
  ['volumeId', 'bytes16'],
  ['segmentBytes', 'i64'],
  ['partitionCount', 'u32'],
  ['batchCount', 'u32'],
  ['directoryCrc', 'u32'],
  ['entriesCrc', 'u32'],
  ['segmentHeaderCrc', 'u32'],
  ['crc', 'u32'],
]);

export const DIRECTORY_ROW = layout('Directory row', [
  ['partitionId', 'u32'],
  ['firstEntry', 'u32'],
  ['entryCount', 'u32'],
  ['entriesCrc', 'u32'],
  ['firstOffset', 'i64'],
  ['lastOffset', 'i64'],
  ['maxTimestampMs', 'i64'],
  ['batchBytes', 'i64'],
]);

export const INDEX_ENTRY = layout('Index entry', [
  ['baseOffset', 'i64'],
  ['maxTimestampMs', 'i64'],
  ['position', 'u32'],
  ['batchBytes', 'u32'],
  ['lastOffsetDelta', 'u32'],
  ['attributes', 'u16'],
  ['reserved', 'u16'],
]);

export const LAYOUTS: readonly Layout[] = [SEGMENT_HEADER, FRAME_HEADER, INDEX_HEADER, DIRECTORY_ROW, INDEX_ENTRY];

/** Newest format of a segment that this code writes and reads. */
export const FORMAT_VERSION = 2;
/** Of an index, which can always be made anew. */
export const INDEX_FORMAT_VERSION = 1;
export const SEGMENT_MAGIC = 'TFJOURNL';
export const INDEX_MAGIC = 'TFINDEX\n';
