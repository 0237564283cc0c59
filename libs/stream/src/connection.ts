import { connect as connectSocket, type Socket } from 'node:net';
import { type Api, decodeResponse, encodeRequest, FrameSplitter, readCorrelationId } from '@tickfold/kafka-protocol';
import type { BrokerAddress } from './config.ts';
import { Deferred } from './deferred.ts';
import { StreamError } from './errors.ts';

/** Larger than any answer a well-behaved broker gives to our limits; smaller than what would exhaust memory. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024;
const READ_BUFFER_BYTES = 256 * 1024;
/** An answer's memory is there at once, not grown while it comes: no answer to our limits is larger. */
const TRUSTED_FRAME_BYTES = 16 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;

interface PendingRequest {
  resolve(frame: Buffer): void;
  reject(error: StreamError): void;
  deadline: NodeJS.Timeout;
}

/**
 * One connection to a broker, by TCP or through a Unix socket. Requests are sent at once, one behind the other; answers are matched by correlation
 * id. It is never re-opened: when it breaks, everything that waits fails, and so does every later request.
 */
export class Connection {
  readonly address: string;
  readonly #socket: Socket;
  readonly #clientId: string;
  readonly #splitter = new FrameSplitter(MAX_FRAME_BYTES, { chunksAreReused: true, trustedBytes: TRUSTED_FRAME_BYTES });
  readonly #pending = new Map<number, PendingRequest>();
  readonly #closed = new Deferred();
  #nextCorrelationId = 1;
  #failure: StreamError | undefined;

  private constructor(socket: Socket, address: string, clientId: string) {
    this.#socket = socket;
    this.address = address;
    this.#clientId = clientId;
    socket.on('error', (cause) => this.#fail('disconnected', `the connection to ${address} broke`, cause));
    socket.on('close', () => this.#fail('disconnected', `the broker at ${address} closed the connection`));
  }

  /** @throws StreamError `unreachable` */
  static open(address: BrokerAddress, clientId: string, timeoutMs: number): Promise<Connection> {
    const name = 'path' in address ? `unix:${address.path}` : `${address.host}:${address.port}`;
    return new Promise((resolve, reject) => {
      let connection: Connection | undefined;
      const giveUp = (reason: string, cause?: Error) => {
        clearTimeout(deadline);
        socket.destroy();
        reject(new StreamError('unreachable', `no broker answers at ${name}: ${reason}`, { cause }));
      };
      const deadline = setTimeout(() => giveUp(`no connection within ${timeoutMs} ms`), timeoutMs);
      const fail = (cause: Error & { code?: string }) => giveUp(cause.code ?? cause.message, cause);
      const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
      const socket = connectSocket({
        ...address,
        noDelay: true,
        onread: {
          // One buffer for all reads: frames are copied out of it, and far fewer buffers are made.
          buffer: readBuffer,
          callback: (length) => {
            if (connection !== undefined) connection.#receive(readBuffer.subarray(0, length));
            return true;
          },
        },
      });
      socket.once('error', fail);
      socket.once('connect', () => {
        clearTimeout(deadline);
        socket.off('error', fail);
        connection = new Connection(socket, name, clientId);
        resolve(connection);
      });
    });
  }

  /** @throws StreamError `disconnected`, `closed` */
  async request<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    request: Request,
    extraWaitMs = 0,
  ): Promise<Response> {
    const frame = await this.#exchange(extraWaitMs, (correlationId) =>
      encodeRequest(api, version, { correlationId, clientId: this.#clientId }, request),
    );
    try {
      return decodeResponse(api, version, frame);
    } catch (cause) {
      throw this.#fail('disconnected', `the broker at ${this.address} sent an answer that cannot be read`, cause);
    }
  }

  /** Whether a request has no answer yet. */
  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  /** Resolves when the connection broke or was closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  close(): void {
    this.#fail('closed', `the connection to ${this.address} was closed here`);
  }

  async #exchange(extraWaitMs: number, encode: (correlationId: number) => Buffer[]): Promise<Buffer> {
    if (this.#failure !== undefined) throw this.#failure;
    const correlationId = this.#nextCorrelationId;
    this.#nextCorrelationId = (correlationId + 1) & 0x7fffffff;
    const chunks = encode(correlationId);
    return new Promise((resolve, reject) => {
      const waitMs = REQUEST_TIMEOUT_MS + extraWaitMs;
      const deadline = setTimeout(() => {
        this.#fail('disconnected', `the broker at ${this.address} did not answer within ${waitMs} ms`);
      }, waitMs);
      this.#pending.set(correlationId, { resolve, reject, deadline });
      this.#socket.cork();
      for (const chunk of chunks) this.#socket.write(chunk);
      this.#socket.uncork();
    });
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#splitter.push(chunk)) {
        const correlationId = readCorrelationId(frame);
        const pending = this.#pending.get(correlationId);
        if (pending === undefined) throw new Error(`an answer to request ${correlationId}, which nobody asked`);
        this.#pending.delete(correlationId);
        clearTimeout(pending.deadline);
        pending.resolve(frame);
      }
    } catch (cause) {
      this.#fail('disconnected', `the broker at ${this.address} sent bytes that are not the Kafka protocol`, cause);
    }
  }

  #fail(code: 'disconnected' | 'closed', message: string, cause?: unknown): StreamError {
    if (this.#failure === undefined) {
      this.#failure = new StreamError(code, message, { cause });
      this.#socket.destroy();
      for (const { reject, deadline } of this.#pending.values()) {
        clearTimeout(deadline);
        reject(this.#failure);
      }
      this.#pending.clear();
      this.#closed.resolve();
    }
    return this.#failure;
  }
}
