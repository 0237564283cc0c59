import { connect, type Socket } from 'node:net';
import { FrameSplitter } from '@tickfold/kafka-protocol';
import type { SeededRandom } from '@tickfold/testkit/faulty-disk';
import type { Line } from './served-broker.ts';
import { decodeWhatever, type FrameMaker, type SomeFrame } from './some-frames.ts';
import type { Target } from './target.ts';
import { mustHold } from './violation.ts';

const TALKERS_A_ROUND = 32;
const MOST_FRAMES = 40;
/** So many go out without waiting for an answer, mostly: what lies behind a bad frame is sent in vain. */
const MOST_PIPELINED = 6;
const WHOLE_SHARE = 0.05;
/** Requests that wait on purpose (fetches, groups) are not waited for: who hears nothing for so long goes. */
const PATIENCE_MS = 30;
const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024;

export interface FuzzTally {
  connections: number;
  sent: number;
  answered: number;
  /** Connections that the broker closed, each with its line. */
  refused: number;
}

export const NO_FUZZ: FuzzTally = { connections: 0, sent: 0, answered: 0, refused: 0 };

/** Frames go through the codecs alone. @throws what a codec throws that is no ProtocolError, with the frame */
export function fuzzCodecs(random: SeededRandom, maker: FrameMaker, frames: number): number {
  let understood = 0;
  for (let i = 0; i < frames; i++) {
    const { bytes } = maker.some(random);
    try {
      if (decodeWhatever(bytes.subarray(4))) understood++;
    } catch (error) {
      throw new Error(`a codec failed at the frame ${bytes.toString('hex')}`, { cause: error });
    }
  }
  return understood;
}

/**
 * Clients side by side, each with frames of which many are wrong, and which end their connection.
 * @param served settles when the broker has served somebody else meanwhile: until then nobody gives up
 * @throws Violation
 */
export async function fuzzRound(
  random: SeededRandom,
  maker: FrameMaker,
  target: Target,
  served: Promise<unknown>,
): Promise<FuzzTally> {
  target.forgetLines();
  const ways = Array.from({ length: TALKERS_A_ROUND }, () => talk(random.fork(), maker, target.port, served));
  const talks = (await Promise.all(ways)).flat();
  const lines = await target.lines();
  for (const each of talks) judge(each, lines);
  const broken = lines.find(({ level }) => level === 'error');
  mustHold(broken === undefined, 'unexpected-error', () => describeBroken(broken!, talks));
  return {
    connections: talks.length,
    sent: sum(talks.map(({ frames }) => frames.length)),
    answered: sum(talks.map(({ answers }) => answers)),
    refused: talks.filter(({ closedByBroker }) => closedByBroker).length,
  };
}

interface Talk {
  peer: string;
  /** Those that the broker came to. What lies behind a frame without an answer is said again on the next connection. */
  frames: readonly SomeFrame[];
  answers: number;
  closedByBroker: boolean;
}

/** As many connections, one after the other, as the frames need. */
async function talk(random: SeededRandom, maker: FrameMaker, port: number, served: Promise<unknown>): Promise<Talk[]> {
  const talks: Talk[] = [];
  let left = Array.from({ length: 1 + random.below(MOST_FRAMES) }, () => maker.some(random));
  while (left.length > 0) {
    const burst = random.chance(WHOLE_SHARE) ? left : left.slice(0, 1 + random.below(MOST_PIPELINED));
    const told = await sayOnOneConnection(random, port, burst, served);
    talks.push(told);
    left = left.slice(told.frames.length);
  }
  return talks;
}

async function sayOnOneConnection(
  random: SeededRandom,
  port: number,
  frames: readonly SomeFrame[],
  served: Promise<unknown>,
): Promise<Talk> {
  const socket = await connected(port);
  const peer = `${socket.localAddress}:${socket.localPort}`;
  const splitter = new FrameSplitter(LARGEST_ANSWER_BYTES);
  let answers = 0;
  let closedByBroker = false;
  const over = new Promise<void>((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const end = (): void => {
      isOver = true;
      clearTimeout(timer);
      resolve();
    };
    const beginToWait = (): void => {
      if (!isOver) timer ??= setTimeout(end, PATIENCE_MS);
    };
    served.then(beginToWait, beginToWait);
    socket.on('data', (chunk) => {
      for (const _ of splitter.push(chunk)) answers++;
      timer?.refresh();
      if (answers === frames.length) end();
    });
    socket.once('close', () => {
      closedByBroker = true;
      end();
    });
  });
  await send(random, socket, Buffer.concat(frames.map(({ bytes }) => bytes)));
  await over;
  const told = { peer, frames: frames.slice(0, answers + 1), answers, closedByBroker };
  if (random.chance(0.2)) socket.resetAndDestroy();
  else socket.destroy();
  return told;
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.off('error', reject);
      // The broker resets what it no longer reads.
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** In one piece, or in pieces that end anywhere. */
async function send(random: SeededRandom, socket: Socket, bytes: Buffer): Promise<void> {
  if (random.chance(0.7)) {
    socket.write(bytes);
    return;
  }
  for (let at = 0; at < bytes.length && !socket.destroyed; ) {
    const end = at + 1 + random.below(Math.max(bytes.length / 4, 1));
    socket.write(bytes.subarray(at, end));
    at = end;
    await new Promise(setImmediate);
  }
}

/** Who is sent away is named with the reason; its request too, once there is one. */
function judge({ peer, frames, closedByBroker }: Talk, lines: readonly Line[]): void {
  if (!closedByBroker) return;
  const line = lines.findLast((each) => each.peer === peer && each.level !== 'debug');
  const isTold = line?.reason !== undefined || line?.stack !== undefined;
  mustHold(isTold, 'silent-close', () => `${peer} after ${hexOf(frames)}`);
}

function describeBroken(line: Line, talks: readonly Talk[]): string {
  const talk = talks.find(({ peer }) => peer === line.peer);
  const request = `${line.api} version ${line.version} of ${line.peer}`;
  return `${request}: ${line.stack ?? line.message}\n${talk === undefined ? '' : hexOf(talk.frames)}`;
}

function hexOf(frames: readonly SomeFrame[]): string {
  return frames.map(({ bytes }) => bytes.toString('hex', 0, 2_000)).join('\n');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
