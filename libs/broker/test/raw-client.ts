import { connect, type Socket } from 'node:net';
import { type Api, decodeResponse, encodeRequest, FrameSplitter } from '@tickfold/kafka-protocol';

/** A connection that speaks the protocol frame by frame, for what ordinary clients would never send. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  readonly #splitter = new FrameSplitter(64 * 1024 * 1024);
  readonly #frames: Buffer[] = [];
  readonly #waiting: ((frame: Buffer | undefined) => void)[] = [];
  #nextId = 1;

  constructor(socket: Socket) {
    this.socket = socket;
    // A request is written in pieces; they do not wait for one another.
    socket.setNoDelay(true);
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const frame of this.#splitter.push(chunk)) {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#frames.push(frame);
        else waiting(frame);
      }
    });
    void this.closed.then(() => {
      for (const waiting of this.#waiting) waiting(undefined);
    });
  }

  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new RawClient(socket)));
      socket.once('error', reject);
    });
  }

  /** The next frame from the broker, without its length. */
  async frame(): Promise<Buffer> {
    const frame =
      this.#frames.shift() ?? (await new Promise<Buffer | undefined>((resolve) => this.#waiting.push(resolve)));
    if (frame === undefined) throw new Error('the broker closed the connection');
    return frame;
  }

  send<Request>(api: Api<Request, unknown>, version: number, request: Request): number {
    const correlationId = this.#nextId++;
    for (const chunk of encodeRequest(api, version, { correlationId, clientId: 'raw' }, request))
      this.socket.write(chunk);
    return correlationId;
  }

  async call<Request, Response>(api: Api<Request, Response>, version: number, request: Request): Promise<Response> {
    this.send(api, version, request);
    return decodeResponse(api, version, await this.frame());
  }

  close(): void {
    this.socket.destroy();
  }
}
