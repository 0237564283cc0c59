/**
 * Frames: every message is an int32 length and that many bytes.
 *
 * ```
 * request header    int16 api key · int16 version · int32 correlation id · nullable string client id
 *                   · in flexible versions tagged fields (the client id stays a plain string)
 * response header   int32 correlation id · in flexible versions tagged fields, but never for ApiVersions
 * ```
 */
import type { Api, MessageCodec } from './api.ts';
import { ProtocolError } from './protocol-error.ts';
import { Reader } from './reader.ts';
import { nullableString, skipTaggedFields } from './schema.ts';
import { Writer } from './writer.ts';

const LENGTH_BYTES = 4;
const API_VERSIONS_KEY = 18;
const FIRST_PENDING_BYTES = 64 * 1024;
const PENDING_GROWTH = 4;
const LARGE_BYTES = 256 * 1024;
const EMPTY = Buffer.alloc(0);
const PLAIN = { version: 0, flexible: false };

export interface RequestHeader {
  apiKey: number;
  apiVersion: number;
  correlationId: number;
  clientId: string | null;
}

// The codecs of all APIs behind one type: a message's own type is known only where its API is.
type AnyApi = Pick<Api<unknown, unknown>, 'key' | 'flexibleSince'>;

/** A whole request frame, length included, in chunks for `socket.write` one after another. */
export function encodeRequest<Request>(
  api: Api<Request, unknown>,
  version: number,
  header: { correlationId: number; clientId: string | null },
  request: Request,
): Buffer[] {
  return frame((writer) => {
    writer.int16(api.key);
    writer.int16(version);
    writer.int32(header.correlationId);
    nullableString.write(writer, header.clientId, PLAIN);
    if (isFlexible(api, version)) writer.uvarint(0);
    api.request.write(writer, version, request);
  });
}

/** A whole response frame, length included. */
export function encodeResponse<Response>(
  api: Pick<Api<never, Response>, 'key' | 'flexibleSince' | 'response'>,
  version: number,
  correlationId: number,
  response: Response,
): Buffer[] {
  return frame((writer) => {
    writer.int32(correlationId);
    if (hasResponseTags(api, version)) writer.uvarint(0);
    api.response.write(writer, version, response);
  });
}

/** The first fields of a request's frame (length taken off), which are the same in every version of every API. */
export function decodeRequestHeader(bytes: Uint8Array): { header: RequestHeader; rest: Reader } {
  const rest = new Reader(bytes);
  const header = {
    apiKey: rest.int16(),
    apiVersion: rest.int16(),
    correlationId: rest.int32(),
    clientId: nullableString.read(rest, PLAIN),
  };
  return { header, rest };
}

/** The body of a request whose header was read. Bytes are views of the frame. @throws ProtocolError */
export function decodeRequestBody<Request>(api: Api<Request, unknown>, version: number, rest: Reader): Request {
  if (isFlexible(api, version)) skipTaggedFields(rest);
  return api.requestMayTrail ? api.request.read(rest, version) : readToEnd(api.request, version, rest);
}

/** Which request a response's frame (length taken off) answers. */
export function readCorrelationId(bytes: Uint8Array): number {
  return new Reader(bytes).int32();
}

/** The body of a response's frame. Bytes are views of the frame. @throws ProtocolError */
export function decodeResponse<Response>(
  api: Pick<Api<never, Response>, 'key' | 'flexibleSince' | 'response'>,
  version: number,
  bytes: Uint8Array,
): Response {
  const rest = new Reader(bytes, LENGTH_BYTES);
  if (hasResponseTags(api, version)) skipTaggedFields(rest);
  return readToEnd(api.response, version, rest);
}

export interface FrameSplitterOptions {
  /** Whoever gives the chunks uses their memory again: frames are copied out of them. */
  chunksAreReused?: boolean;
  /** What a length announces gets its memory at once up to so many bytes; see below. Default 64 KiB. */
  trustedBytes?: number;
  /** Gives memory that is there already, for a frame of so many bytes with its length; undefined where there is none. */
  spareMemory?: (frameBytes: number) => Buffer | undefined;
}

/**
 * Cuts a socket's stream into frames. A frame inside one chunk is a view of it; only frames that span chunks are
 * collected, in a buffer that grows with what has come: what a length merely announces costs no memory.
 */
export class FrameSplitter {
  readonly #maxFrameBytes: number;
  readonly #chunksAreReused: boolean;
  readonly #trustedBytes: number;
  readonly #spareMemory: FrameSplitterOptions['spareMemory'];
  #pending: Buffer = EMPTY;
  #filled = 0;

  constructor(maxFrameBytes: number, options: FrameSplitterOptions = {}) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#chunksAreReused = options.chunksAreReused ?? false;
    this.#trustedBytes = options.trustedBytes ?? FIRST_PENDING_BYTES;
    this.#spareMemory = options.spareMemory;
  }

  /** Bytes of the frame that is not whole yet. */
  get bufferedBytes(): number {
    return this.#filled;
  }

  /**
   * Takes what the socket gave; yields the frames that are whole now, without their length. Consume it to its end.
   * @throws ProtocolError `malformed` or `frame-too-large` as soon as a length says so
   */
  *push(chunk: Buffer): Generator<Buffer> {
    let rest = chunk;
    while (rest.length > 0) {
      const isView = this.#filled === 0 && !this.#chunksAreReused;
      const whole = isView ? this.#frameBytes(rest, rest.length) : undefined;
      if (whole !== undefined && whole <= rest.length) {
        yield rest.subarray(LENGTH_BYTES, whole);
        rest = rest.subarray(whole);
      } else {
        rest = rest.subarray(this.#collect(rest));
        if (this.#filled === this.#frameBytes(this.#pending, this.#filled)) yield this.#takePending();
      }
    }
  }

  /** Length of the frame that begins with these bytes, itself included; undefined while that cannot be told. */
  #frameBytes(start: Buffer, available: number): number | undefined {
    if (available < LENGTH_BYTES) return undefined;
    const length = start.readInt32BE(0);
    if (length < 0) throw new ProtocolError('malformed', `a frame of ${length} bytes`);
    if (length > this.#maxFrameBytes) {
      throw new ProtocolError('frame-too-large', `a frame of ${length} bytes, more than ${this.#maxFrameBytes}`);
    }
    return LENGTH_BYTES + length;
  }

  /** Moves bytes to the pending frame: up to its length field's end first, then up to its own. Returns how many. */
  #collect(rest: Buffer): number {
    const isNew = this.#filled === 0;
    const wanted = this.#frameBytes(isNew ? rest : this.#pending, isNew ? rest.length : this.#filled) ?? LENGTH_BYTES;
    const count = Math.min(wanted - this.#filled, rest.length);
    this.#grow(this.#filled + count, wanted);
    rest.copy(this.#pending, this.#filled, 0, count);
    this.#filled += count;
    return count;
  }

  #grow(needed: number, wanted: number): void {
    if (needed <= this.#pending.length) return;
    const capacity = Math.max(needed, this.#trustedBytes, this.#pending.length * PENDING_GROWTH);
    const grown = this.#spareMemory?.(wanted) ?? Buffer.allocUnsafe(Math.min(capacity, roundedUp(wanted)));
    this.#pending.copy(grown, 0, 0, this.#filled);
    this.#pending = grown;
  }

  #takePending(): Buffer {
    const frame = this.#pending.subarray(LENGTH_BYTES, this.#filled);
    this.#pending = EMPTY;
    this.#filled = 0;
    return frame;
  }
}

/** Large memory comes in few sizes, so that what one frame had fits the next. */
function roundedUp(frameBytes: number): number {
  return frameBytes < LARGE_BYTES ? frameBytes : Math.ceil(frameBytes / LARGE_BYTES) * LARGE_BYTES;
}

function readToEnd<T>(codec: MessageCodec<T>, version: number, rest: Reader): T {
  const message = codec.read(rest, version);
  rest.expectEnd();
  return message;
}

function frame(write: (writer: Writer) => void): Buffer[] {
  const writer = new Writer();
  writer.int32(0);
  write(writer);
  const chunks = writer.finish();
  chunks[0]!.writeInt32BE(writer.length - LENGTH_BYTES, 0);
  return chunks;
}

function isFlexible(api: AnyApi, version: number): boolean {
  return api.flexibleSince !== undefined && version >= api.flexibleSince;
}

function hasResponseTags(api: AnyApi, version: number): boolean {
  return api.key !== API_VERSIONS_KEY && isFlexible(api, version);
}
