import {
  type Api,
  apis,
  decodeRequestBody,
  decodeRequestHeader,
  encodeRequest,
  ProtocolError,
} from '@tickfold/kafka-protocol';
import type { SeededRandom } from '@tickfold/testkit/faulty-disk';
import { HostileCount, InventingReader } from './inventing-reader.ts';

const LENGTH_BYTES = 4;
const HOSTILE_INTS = [-1, -2, 0x7fff_ffff, -0x8000_0000, 0x0100_0000, 65_536] as const;
const everyApi = Object.values(apis) as unknown as readonly Api<unknown, unknown>[];
/** Few enough that a connection comes far before the first. */
const DAMAGED_SHARE = 0.1;

export interface SomeFrame {
  /** As it goes on the wire, length included. */
  bytes: Buffer;
  /** False where the damage reaches the length, so that later frames are not told apart from this one. */
  endsWhereItSays: boolean;
}

/** Makes frames from recorded ones, from invented messages of every API and version, and from neither. */
export class FrameMaker {
  readonly #recorded: readonly Buffer[];

  /** @param recorded frames of real clients, without their length */
  constructor(recorded: readonly Buffer[]) {
    this.#recorded = recorded;
  }

  some(random: SeededRandom): SomeFrame {
    const body = this.#someBody(random);
    if (!random.chance(DAMAGED_SHARE)) return framed(body);
    switch (random.below(8)) {
      case 0:
        return framed(flipped(random, body));
      case 1:
        return framed(body.subarray(0, random.below(body.length + 1)));
      case 2:
        return framed(Buffer.concat([body, someBytes(random, 1 + random.below(20))]));
      case 3:
        return framed(withHostileInt(random, body));
      case 4:
        return framed(spliced(random, body, this.#someBody(random)));
      case 5:
        return framed(withOtherHeader(random, body));
      case 6:
        return framed(someBytes(random, random.below(300)));
      default: {
        const { bytes } = framed(body);
        bytes.writeInt32BE(random.pick([...HOSTILE_INTS, 0, body.length + 1, body.length - 1]), 0);
        return { bytes, endsWhereItSays: false };
      }
    }
  }

  #someBody(random: SeededRandom): Buffer {
    return random.chance(0.15) ? random.pick(this.#recorded) : inventedBody(random);
  }
}

function inventedBody(random: SeededRandom): Buffer {
  const api = random.pick(everyApi);
  const version = api.minVersion + random.below(api.maxVersion - api.minVersion + 1);
  const reader = new InventingReader(random);
  try {
    api.request.read(reader, version);
  } catch (error) {
    // A message that its codec refuses is a good one for this purpose: up to there it was right.
    if (!(error instanceof ProtocolError || error instanceof HostileCount)) throw error;
  }
  return Buffer.concat([headerOf(api, version, random.below(1_000)), reader.written]);
}

/** An encoded request of the API, with its body taken off. */
function headerOf(api: Api<unknown, unknown>, version: number, correlationId: number): Buffer {
  const bodiless = { ...api, request: { ...api.request, write: () => {} } };
  return Buffer.concat(encodeRequest(bodiless, version, { correlationId, clientId: 'fuzz' }, {})).subarray(
    LENGTH_BYTES,
  );
}

function framed(body: Buffer): SomeFrame {
  const bytes = Buffer.alloc(LENGTH_BYTES + body.length);
  bytes.writeInt32BE(body.length);
  body.copy(bytes, LENGTH_BYTES);
  return { bytes, endsWhereItSays: true };
}

function flipped(random: SeededRandom, body: Buffer): Buffer {
  const bytes = Buffer.from(body);
  for (let i = random.below(4); i >= 0 && bytes.length > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

function withHostileInt(random: SeededRandom, body: Buffer): Buffer {
  if (body.length < 4) return body;
  const bytes = Buffer.from(body);
  bytes.writeInt32BE(random.pick(HOSTILE_INTS), random.below(bytes.length - 3));
  return bytes;
}

function spliced(random: SeededRandom, one: Buffer, other: Buffer): Buffer {
  return Buffer.concat([one.subarray(0, random.below(one.length + 1)), other.subarray(random.below(other.length + 1))]);
}

function withOtherHeader(random: SeededRandom, body: Buffer): Buffer {
  if (body.length < 4) return body;
  const bytes = Buffer.from(body);
  if (random.chance(0.5)) bytes.writeInt16BE(random.pick([-1, 70, 31_000, 0x7fff, random.below(70)]), 0);
  else bytes.writeInt16BE(random.pick([-1, 0, 1, 5, 99, 0x7fff]), 2);
  return bytes;
}

function someBytes(random: SeededRandom, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

/** What the codecs make of a frame. @throws anything but a ProtocolError where they fail to refuse it */
export function decodeWhatever(frame: Uint8Array): boolean {
  try {
    const { header, rest } = decodeRequestHeader(frame);
    const api = everyApi.find(({ key }) => key === header.apiKey);
    if (api === undefined || header.apiVersion < api.minVersion || header.apiVersion > api.maxVersion) return false;
    decodeRequestBody(api, header.apiVersion, rest);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}
