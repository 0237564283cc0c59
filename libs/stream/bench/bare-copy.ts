/**
 * The same bytes at the same times as the latency's records, from process to process to process over sockets, with nothing
 * done to them: what of a latency is the machine's own.
 */
import { once } from 'node:events';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { nowMs } from './children.ts';
import { everyMillisecond } from './metronome.ts';

const TIME_BYTES = 8;

export interface BarePath {
  /** Of a Unix socket. */
  path: string;
  bytesPerBeat: number;
  beats: number;
}

/** Passes on what comes to `path` to who listens at `to`. */
export async function relayBare({ path, to }: { path: string; to: string }, onReady: () => void): Promise<void> {
  const from = await listenOnce(path, onReady);
  const next = await dial(to);
  from.on('data', (chunk) => next.write(chunk));
  await once(from, 'end');
  next.end();
  await once(next, 'close');
}

/** How long each beat took to arrive whole, in milliseconds. */
export async function receiveBare({ path, bytesPerBeat, beats }: BarePath, onReady: () => void): Promise<number[]> {
  const socket = await listenOnce(path, onReady);
  const latencies: number[] = [];
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of socket) {
    const arrivedMs = nowMs();
    rest = Buffer.concat([rest, chunk as Buffer]);
    for (; rest.length >= bytesPerBeat; rest = rest.subarray(bytesPerBeat)) {
      latencies.push(arrivedMs - rest.readDoubleBE(0));
    }
  }
  if (latencies.length !== beats) throw new Error(`${latencies.length} of ${beats} beats came`);
  return latencies;
}

export async function sendBare({ path, bytesPerBeat, beats }: BarePath): Promise<void> {
  const socket = await dial(path);
  const fromMs = nowMs() + 1_000;
  await everyMillisecond(fromMs, beats, (beat) => {
    const bytes = Buffer.alloc(Math.max(bytesPerBeat, TIME_BYTES), 1);
    bytes.writeDoubleBE(fromMs + beat);
    socket.write(bytes);
  });
  socket.end();
  await once(socket, 'close');
}

async function listenOnce(path: string, onReady: () => void): Promise<Socket> {
  const server = createServer().listen(path);
  await once(server, 'listening');
  onReady();
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  return socket;
}

async function dial(path: string): Promise<Socket> {
  const socket = connectSocket(path);
  await once(socket, 'connect');
  return socket;
}
