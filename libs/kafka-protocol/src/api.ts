import { ProtocolError } from './protocol-error.ts';
import { Reader } from './reader.ts';
import type { Type, Wire } from './schema.ts';
import { Writer } from './writer.ts';

/** Encodes and decodes one message body (without its header) at any version of its API. */
export interface MessageCodec<T> {
  /** Chunks in order; record batches are among them by reference. @throws ProtocolError `unsupported-version` */
  encode(version: number, message: T): Buffer[];
  /** Byte fields are views of `body`. @throws ProtocolError */
  decode(version: number, body: Uint8Array): T;
  write(writer: Writer, version: number, message: T): void;
  read(reader: Reader, version: number): T;
}

/** One request of the Kafka protocol and its response. */
export interface Api<Request, Response> {
  readonly name: string;
  readonly key: number;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** First version with compact lengths and tagged fields; undefined where none is served. */
  readonly flexibleSince: number | undefined;
  /** Whether a known client sends requests with bytes after their end, which are passed over. */
  readonly requestMayTrail: boolean;
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
}

export type RequestOf<Of> = Of extends Api<infer Request, unknown> ? Request : never;
export type ResponseOf<Of> = Of extends { readonly response: MessageCodec<infer Response> } ? Response : never;

interface Definition<Request, Response> {
  name: string;
  key: number;
  /** First and last version that the schemas describe. */
  versions: readonly [min: number, max: number];
  flexibleSince?: number;
  requestMayTrail?: boolean;
  request: Type<Request>;
  response: Type<Response>;
}

export function defineApi<Request, Response>(definition: Definition<Request, Response>): Api<Request, Response> {
  const { name, key, versions, flexibleSince, requestMayTrail = false } = definition;
  const [minVersion, maxVersion] = versions;

  const wireOf = (version: number): Wire => {
    if (version < minVersion || version > maxVersion) {
      throw new ProtocolError(
        'unsupported-version',
        `${name} version ${version} is not among ${minVersion} to ${maxVersion}`,
      );
    }
    return { version, flexible: flexibleSince !== undefined && version >= flexibleSince };
  };

  const codecOf = <T>(type: Type<T>): MessageCodec<T> => ({
    write: (writer, version, message) => type.write(writer, message, wireOf(version)),
    read: (reader, version) => type.read(reader, wireOf(version)),
    encode(version, message) {
      const writer = new Writer();
      type.write(writer, message, wireOf(version));
      return writer.finish();
    },
    decode(version, body) {
      const reader = new Reader(body);
      const message = type.read(reader, wireOf(version));
      reader.expectEnd();
      return message;
    },
  });

  return {
    name,
    key,
    minVersion,
    maxVersion,
    flexibleSince,
    requestMayTrail,
    request: codecOf(definition.request),
    response: codecOf(definition.response),
  };
}
