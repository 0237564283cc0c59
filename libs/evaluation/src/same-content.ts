import { headers } from '@tickfold/market';
import type { RecordHeader, RecordView } from '@tickfold/stream';

/**
 * Whether two records have the same canonical content: key, value, event time and headers, all and in order. Offsets,
 * batches and append times do not count. A dead letter says which group wrote it; that the groups are named after their
 * volumes does not count either.
 */
export function sameContent(a: RecordView, b: RecordView, volumes: { a: string; b: string }): boolean {
  return (
    a.timestampMs === b.timestampMs &&
    sameBytes(a.value, b.value) &&
    sameBytes(a.key, b.key) &&
    sameHeaders(a.headers(), b.headers(), volumes)
  );
}

function sameHeaders(a: RecordHeader[], b: RecordHeader[], volumes: { a: string; b: string }): boolean {
  return (
    a.length === b.length &&
    a.every(({ key, value }, index) => {
      const other = b[index]!;
      if (key !== other.key) return false;
      if (sameBytes(value, other.value)) return true;
      return key === headers.app && withinVolume(value, volumes.a) === withinVolume(other.value, volumes.b);
    })
  );
}

/** `analytics` of the group `try-1.analytics`. */
function withinVolume(group: Uint8Array, volume: string): string {
  const text = Buffer.from(group).toString();
  return text.startsWith(`${volume}.`) ? text.slice(volume.length + 1) : text;
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
