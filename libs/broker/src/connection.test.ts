import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { apis, encodeRequest, FrameSplitter, readCorrelationId } from '@tickfold/kafka-protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { Connection } from './connection.ts';
import { FrameMemory } from './frame-memory.ts';
import { DEFAULT_LIMITS, type Limits } from './options.ts';
import { RequestMemory } from './request-memory.ts';
import { type Route, route } from './route.ts';

/** A socket whose other side reads only when the test says so. */
class StuckSocket extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly #splitter = new FrameSplitter(1 << 20);
  readonly answered: number[] = [];
  readonly #held: (() => void)[] = [];
  isStuck = false;

  constructor() {
    super({ writableHighWaterMark: 1 });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const frame of this.#splitter.push(chunk)) this.answered.push(readCorrelationId(frame));
    if (this.isStuck) this.#held.push(done);
    else done();
  }

  release(): void {
    this.isStuck = false;
    for (const done of this.#held.splice(0)) done();
  }

  setNoDelay(): void {}
  idle = (): void => {};
  setTimeout(_afterMs: number, idle?: () => void): void {
    if (idle !== undefined) this.idle = idle;
  }
}

let socket: StuckSocket;
/** Correlation ids in the order in which handlers were called. */
let begun: number[];
/** Lets a handler that was called finish. */
let finish: Map<number, () => void>;

beforeEach(() => {
  socket = new StuckSocket();
  begun = [];
  finish = new Map();
});

/** A heartbeat's generation carries its correlation id to the handler here, and a produce's timeout. */
function waiting(id: number): Promise<void> {
  begun.push(id);
  return new Promise((resolve) => finish.set(id, resolve));
}

function connect(limits: Partial<Limits> = {}): Connection {
  const routes: Route[] = [
    route(apis.heartbeat, async ({ generationId }) => {
      await waiting(generationId);
      return { throttleTimeMs: 0, errorCode: 0 };
    }),
    route(
      apis.produce,
      async ({ acks, timeoutMs }) => {
        await waiting(timeoutMs);
        return acks === 0 ? undefined : { topics: [], throttleTimeMs: 0 };
      },
      { overlaps: true },
    ),
  ];
  const silent = () => {};
  return new Connection(socket as unknown as Socket, {
    routes: new Map(routes.map((each) => [each.api.key, each])),
    limits: { ...DEFAULT_LIMITS, ...limits },
    memory: new RequestMemory(DEFAULT_LIMITS.requestBytes),
    frameMemory: new FrameMemory(),
    log: { debug: silent, info: silent, warn: silent, error: silent },
    listener: { name: 'host', advertisedHost: '127.0.0.1', advertisedPort: 9092 },
  });
}

function heartbeat(correlationId: number): Buffer[] {
  const body = { groupId: 'g', generationId: correlationId, memberId: 'm', groupInstanceId: null };
  return encodeRequest(apis.heartbeat, 0, { correlationId, clientId: null }, body);
}

function produce(correlationId: number, acks = -1): Buffer[] {
  const body = { transactionalId: null, acks, timeoutMs: correlationId, topics: [] };
  return encodeRequest(apis.produce, 3, { correlationId, clientId: null }, body);
}

async function receive(...requests: Buffer[][]): Promise<void> {
  socket.push(Buffer.concat(requests.flat()));
  await settled();
}

/** Everything that can happen without another event has happened. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise(setImmediate);
}

async function finished(id: number): Promise<void> {
  finish.get(id)!();
  await settled();
}

describe('order', () => {
  test('a request begins when the one before it is answered', async () => {
    connect();
    await receive(heartbeat(1), heartbeat(2));
    expect(begun).toEqual([1]);
    await finished(1);
    expect([begun, socket.answered]).toEqual([[1, 2], [1]]);
  });

  test('requests that overlap begin together and are answered in the order in which they came', async () => {
    connect();
    await receive(produce(1), produce(2), heartbeat(3), produce(4));
    expect(begun).toEqual([1, 2]);
    await finished(2);
    expect(socket.answered).toEqual([]);
    await finished(1);
    expect([begun, socket.answered]).toEqual([
      [1, 2, 3],
      [1, 2],
    ]);
    await finished(3);
    expect(begun).toEqual([1, 2, 3, 4]);
  });

  test('a request without a response does not hold up the next one', async () => {
    connect();
    await receive(produce(1, 0), produce(2));
    await finished(1);
    await finished(2);
    expect(socket.answered).toEqual([2]);
  });
});

describe('back-pressure', () => {
  test('the socket is not read on while too many requests wait for their answer', async () => {
    connect({ unansweredRequests: 3 });
    await receive(produce(1), produce(2));
    expect(socket.isPaused()).toBe(false);
    await receive(produce(3), produce(4));
    expect([begun, socket.isPaused()]).toEqual([[1, 2, 3], true]);
    await finished(1);
    expect([begun, socket.isPaused()]).toEqual([[1, 2, 3, 4], true]);
    await finished(2);
    expect(socket.isPaused()).toBe(false);
  });

  test('the socket is not read on while too many bytes of requests wait', async () => {
    const frameBytes = Buffer.concat(heartbeat(1)).length;
    connect({ unansweredBytes: frameBytes });
    await receive(heartbeat(1), heartbeat(2), heartbeat(3));
    expect(socket.isPaused()).toBe(true);
    await finished(1);
    await finished(2);
    expect(socket.isPaused()).toBe(false);
  });

  test('no request begins while answers pile up unread, and all go on when they are read', async () => {
    socket.isStuck = true;
    connect({ unsentBytes: 20 });
    await receive(...[1, 2, 3, 4, 5].map(heartbeat));
    for (const id of [1, 2, 3]) if (begun.includes(id)) await finished(id);
    expect([begun, socket.isPaused()]).toEqual([[1, 2, 3], true]);
    socket.release();
    await settled();
    expect([begun, socket.isPaused()]).toEqual([[1, 2, 3, 4], false]);
  });
});

test('a connection that is drained answers what it began, begins nothing else, and ends', async () => {
  const connection = connect();
  await receive(produce(1), produce(2), heartbeat(3));
  connection.drain();
  await settled();
  expect(socket.writableEnded).toBe(false);
  await finished(1);
  await finished(2);
  expect([begun, socket.answered, socket.writableEnded]).toEqual([[1, 2], [1, 2], true]);
});

test('a connection is idle only when no request of it waits', async () => {
  connect();
  await receive(heartbeat(1));
  socket.idle();
  expect(socket.destroyed).toBe(false);
  await finished(1);
  expect(socket.answered).toEqual([1]);
  socket.idle();
  expect(socket.destroyed).toBe(true);
});
