import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { apis, encodeRequest, FrameSplitter } from '@tickfold/kafka-protocol';
import { RawClient } from '../raw-client.ts';
import type { Target } from './target.ts';
import { mustHold } from './violation.ts';
import { Witness } from './witness.ts';

/** One more than the broker takes, and some. */
const FLOOD = 1_200;
const MOST_GROWTH_BYTES = 400 * 1024 * 1024;
const LARGE_FRAME_BYTES = 60 * 1024 * 1024;
const WITNESSED_RECORDS = 20;
const MANY_TOPICS = 2_000;
const TOPICS_A_REQUEST = 500;

export interface Storm {
  name: string;
  /** What was seen, for people. */
  seen: string;
}

type Weather = (port: number, sockets: Socket[]) => Promise<void>;

const storms = {
  'more connections than there is room for': flood,
  'connections that stop amid a frame': stopAmidFrames,
  'lengths that are announced and never come': announceMuch,
  'large frames that stop before their end': stopAmidLargeFrames,
  'requests whose answers nobody reads': neverRead,
  'requests byte by byte': dribble,
  'requests for everything, over thousands of topics': askForEverything,
} satisfies Record<string, Weather>;

const STORMS = Object.keys(storms) as (keyof typeof storms)[];

/**
 * Each storm goes over a broker while a client in its right mind is served.
 * @throws Violation where that one starves, memory grows past its bound, or something is lost
 */
export async function runStorms(parent: string, start: (dataDir: string) => Promise<Target>): Promise<Storm[]> {
  const seen: Storm[] = [];
  for (const name of STORMS) {
    process.stderr.write(`storm: ${name} …\n`);
    seen.push(await runStorm(name, parent, start));
  }
  return seen;
}

/** @throws Violation */
export async function runStorm(
  name: (typeof STORMS)[number],
  parent: string,
  start: (dataDir: string) => Promise<Target>,
): Promise<Storm> {
  return { name, seen: await weatherThrough(storms[name], parent, start) };
}

async function weatherThrough(
  weather: Weather,
  parent: string,
  start: (dataDir: string) => Promise<Target>,
): Promise<string> {
  mkdirSync(parent, { recursive: true });
  const dataDir = mkdtempSync(join(resolve(parent), 'torture-wire-'));
  const target = await start(dataDir);
  const sockets: Socket[] = [];
  const witness = new Witness();
  try {
    await witness.connect(target.port);
    const memoryBefore = await target.memoryBytes();
    const storm = weather(target.port, sockets);
    let memoryBytes = 0;
    for (let i = 0; i < WITNESSED_RECORDS; i++) {
      await witness.produce();
      memoryBytes = Math.max(memoryBytes, await target.memoryBytes());
    }
    await storm;
    await witness.produce();
    memoryBytes = Math.max(memoryBytes, await target.memoryBytes());
    const growthBytes = memoryBytes - memoryBefore;
    mustHold(growthBytes < MOST_GROWTH_BYTES, 'memory', () => `grew by ${Math.round(growthBytes / 2 ** 20)} MiB`);
    for (const socket of sockets) socket.destroy();
    // There is room again once the broker has seen them go.
    await witness.findEverything();
    const broken = (await target.lines()).find(({ level }) => level === 'error');
    mustHold(broken === undefined, 'unexpected-error', () => broken!.stack ?? broken!.message);
    return `longest wait ${Math.round(witness.slowestMs)} ms, ${Math.round(growthBytes / 2 ** 20)} MiB more memory`;
  } finally {
    for (const socket of sockets) socket.destroy();
    witness.close();
    await target.end('close');
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function flood(port: number, sockets: Socket[]): Promise<void> {
  await Promise.all(Array.from({ length: FLOOD }, () => opened(port, sockets)));
}

async function stopAmidFrames(port: number, sockets: Socket[]): Promise<void> {
  for (let i = 0; i < 300; i++) (await opened(port, sockets)).write(metadataRequest(i).subarray(0, 5 + (i % 10)));
}

async function announceMuch(port: number, sockets: Socket[]): Promise<void> {
  const length = Buffer.alloc(4);
  length.writeInt32BE(LARGE_FRAME_BYTES);
  for (let i = 0; i < 500; i++) (await opened(port, sockets)).write(length);
}

async function stopAmidLargeFrames(port: number, sockets: Socket[]): Promise<void> {
  const most = Buffer.alloc(LARGE_FRAME_BYTES);
  most.writeInt32BE(LARGE_FRAME_BYTES);
  for (let i = 0; i < 20; i++) {
    const socket = await opened(port, sockets);
    const gone = once(socket, 'close');
    await Promise.race([gone, new Promise((resolve) => socket.write(most, resolve))]);
  }
}

async function neverRead(port: number, sockets: Socket[]): Promise<void> {
  const requests = Buffer.concat(Array.from({ length: 2_000 }, (_, i) => metadataRequest(i)));
  for (let i = 0; i < 100; i++) {
    const socket = await opened(port, sockets);
    socket.pause();
    socket.write(requests);
  }
}

async function dribble(port: number, sockets: Socket[]): Promise<void> {
  const request = metadataRequest(1);
  const open = await Promise.all(Array.from({ length: 100 }, () => opened(port, sockets)));
  const answers = open.map((socket) => once(socket, 'data'));
  for (const byte of request) {
    for (const socket of open) socket.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  await Promise.all(answers);
}

async function askForEverything(port: number, sockets: Socket[]): Promise<void> {
  const client = await RawClient.connect(port);
  try {
    for (let made = 0; made < MANY_TOPICS; made += TOPICS_A_REQUEST) {
      const topics = Array.from({ length: TOPICS_A_REQUEST }, (_, i) => ({
        name: `storm.topic-${made + i}`,
        partitionCount: 1,
        replicationFactor: 1,
        assignments: [],
        configs: [],
      }));
      await client.call(apis.createTopics, 2, { topics, timeoutMs: 30_000, validateOnly: false });
    }
  } finally {
    client.close();
  }
  const askers = await Promise.all(Array.from({ length: 20 }, () => opened(port, sockets)));
  await Promise.all(askers.map(askAgainAndAgain));
}

/** Each answer is read to its end before the next question. */
async function askAgainAndAgain(socket: Socket): Promise<void> {
  const splitter = new FrameSplitter(LARGE_FRAME_BYTES);
  for (let i = 0; i < 5; i++) {
    socket.write(metadataRequest(i));
    for (let isAnswered = false; !isAnswered; ) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      isAnswered = [...splitter.push(chunk)].length > 0;
    }
  }
}

function metadataRequest(correlationId: number): Buffer {
  const request = {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  };
  return Buffer.concat(encodeRequest(apis.metadata, 4, { correlationId, clientId: 'storm' }, request));
}

/** Open, or closed again already: a flood is sent away in part. */
function opened(port: number, sockets: Socket[]): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('connect', () => resolve(socket));
    socket.once('close', () => resolve(socket));
  });
}
