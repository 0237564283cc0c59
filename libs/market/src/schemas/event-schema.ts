import avro from 'avsc';

/** The schema of one event: all its versions, encoding as the newest, decoding any of them as the newest. */
export interface EventSchema<T> {
  readonly name: string;
  /** `<name>/<newest version>`: the value of the `schema` header of what `encode` makes. */
  readonly id: string;
  /** @throws SchemaError naming the field that does not fit */
  encode(value: T): Buffer;
  /**
   * @param id the record's `schema` header; without it, the newest version
   * @throws SchemaError when the id is unknown or the bytes do not fit
   */
  decode(bytes: Uint8Array, id?: string): T;
}

export class SchemaError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SchemaError';
  }
}

/**
 * @param name of the event, `enriched-tick`
 * @param versions Avro schemas, version 1 first; each must resolve into the last one (new fields have defaults)
 */
export function defineSchema<T>(name: string, versions: readonly object[]): EventSchema<T> {
  const types = versions.map((version) => avro.Type.forSchema(structuredClone(version) as avro.Schema));
  const newest = types.at(-1)!;
  const id = `${name}/${types.length}`;
  const resolvers = new Map(
    types.map((type, index) => [`${name}/${index + 1}`, type === newest ? undefined : newest.createResolver(type)]),
  );

  return {
    name,
    id,
    encode(value) {
      try {
        return encodeWith(newest, value);
      } catch (error) {
        throw new SchemaError(`${id}: ${describeMisfit(newest, value) ?? (error as Error).message}`, { cause: error });
      }
    },
    decode(bytes, writtenAs = id) {
      if (!resolvers.has(writtenAs)) {
        throw new SchemaError(`Unknown schema "${writtenAs}"; known here: ${[...resolvers.keys()].join(', ')}.`);
      }
      const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      try {
        return newest.fromBuffer(buffer, resolvers.get(writtenAs)) as T;
      } catch (error) {
        throw new SchemaError(`${bytes.length} bytes are no ${writtenAs}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    },
  };
}

/** Values are written one behind the other into a block, each a view of it: far cheaper than memory for each one. */
const BLOCK_BYTES = 32 * 1024;
let block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
let blockEnd = 0;

function encodeWith(type: avro.Type, value: unknown): Buffer {
  let end = type.encode(value, block, blockEnd);
  if (end < 0) {
    block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    blockEnd = 0;
    end = type.encode(value, block, 0);
    if (end < 0) return type.toBuffer(value);
  }
  const encoded = block.subarray(blockEnd, end);
  blockEnd = end;
  return encoded;
}

function describeMisfit(type: avro.Type, value: unknown): string | undefined {
  let misfit: string | undefined;
  type.isValid(value, {
    errorHook: (path, found, expected) => {
      misfit ??= `${path.join('.') || 'value'} is ${JSON.stringify(found)}, expected ${String(expected)}`;
    },
  });
  return misfit;
}
