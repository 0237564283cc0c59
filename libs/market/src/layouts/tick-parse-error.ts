import type { Field } from './fields.ts';

/** A line that is no tick. Its message is the reason in the dead letter: field, bytes, what stood there, what should. */
export class TickParseError extends Error {
  readonly field: string;
  /** Zero-based and inclusive, `39-49`. */
  readonly bytes: string;
  readonly expected: string;

  constructor(field: string, bytes: string, found: string, expected: string) {
    super(`${field} (bytes ${bytes}) is ${found}, expected ${expected}`);
    this.name = 'TickParseError';
    this.field = field;
    this.bytes = bytes;
    this.expected = expected;
  }
}

/** The error of one field of a line that begins at `lineStart` of `buffer`. */
export function fieldError(
  buffer: Uint8Array,
  lineStart: number,
  name: string,
  field: Field,
  expected: string,
): TickParseError {
  const found = printable(buffer.subarray(lineStart + field.start, lineStart + field.end));
  return new TickParseError(name, `${field.start}-${field.end - 1}`, `"${found}"`, expected);
}

/** The error of a line that is too short, too long, or ends within a field. */
export function lengthError(length: number, expected: string): TickParseError {
  return new TickParseError('line', `0-${Math.max(0, length - 1)}`, `${length} bytes long`, expected);
}

/** Bytes as text for a message: whatever is not visible ASCII shows as `\xNN`. */
export function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    text +=
      byte >= 0x20 && byte < 0x7f
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  }
  return text;
}
