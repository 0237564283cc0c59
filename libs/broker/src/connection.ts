import type { Socket } from 'node:net';
import {
  apis,
  decodeRequestHeader,
  FrameSplitter,
  ProtocolError,
  type Reader,
  type RequestHeader,
} from '@tickfold/kafka-protocol';
import { foreignProtocolOf } from './foreign-protocol.ts';
import type { FrameMemory } from './frame-memory.ts';
import { answerUnknownApiVersions } from './handlers/api-versions.ts';
import type { BrokerLog, Limits } from './options.ts';
import type { RequestMemory } from './request-memory.ts';
import type { Route } from './route.ts';

export interface ConnectionOptions {
  routes: ReadonlyMap<number, Route>;
  limits: Limits;
  /** Of all connections together. */
  memory: RequestMemory;
  frameMemory: FrameMemory;
  log: BrokerLog;
  listener: { name: string; advertisedHost: string; advertisedPort: number };
}

const NOTHING = Buffer.alloc(0);
const LOOPBACK = '127.0.0.1';

/** A request that was begun; its answer is sent when all before it are. */
interface Slot {
  frame: Buffer;
  overlaps: boolean;
  letsGoOfFrame: boolean;
  /** Undefined while the answer is not there; empty where the request has none. */
  answer: readonly Buffer[] | undefined;
  onSent: (() => void)[];
}

/**
 * One client. Requests are begun and answered in the order in which they came. One begins when all before it are
 * answered, so that it sees their effects, as with Kafka; only requests that say so (`Route.overlaps`) begin together.
 * Nothing is read from the socket while too much waits: unanswered requests, their bytes, or unsent answers.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #peer: string;
  readonly #splitter: FrameSplitter;
  readonly #waiting: Buffer[] = [];
  readonly #begun: Slot[] = [];
  readonly #abort = new AbortController();
  #unansweredBytes = 0;
  #hasReadAFrame = false;
  #isDraining = false;
  #isCorked = false;
  /** What the request at hand is, for the log line of a connection that ends with it. */
  #current: { api: string; version: number } | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    // One that comes through a Unix socket has no address.
    this.#peer = `${socket.remoteAddress ?? LOOPBACK}:${socket.remotePort ?? 'socket'}`;
    this.#splitter = new FrameSplitter(options.limits.frameBytes, {
      spareMemory: (frameBytes) => options.frameMemory.take(frameBytes),
    });
    socket.setNoDelay(true);
    socket.setTimeout(options.limits.idleMs, () => this.#endIdle());
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('drain', () => this.#advance());
    socket.on('error', (error) => this.#log('debug', error.message));
    socket.on('close', () => {
      options.memory.release(this);
      this.#abort.abort();
    });
  }

  /** Reads no further, answers what was begun, ends. */
  drain(): void {
    this.#isDraining = true;
    this.#waiting.length = 0;
    this.#socket.pause();
    this.#abort.abort();
    this.#endWhenDrained();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Called where all connections together hold too much, and this one the most. */
  giveUp(reason: string): void {
    this.#current = undefined;
    this.#refuse(reason);
  }

  #take(chunk: Buffer): void {
    if (this.#isDraining) return;
    try {
      for (const frame of this.#splitter.push(chunk)) {
        this.#hasReadAFrame = true;
        this.#unansweredBytes += frame.length;
        this.#waiting.push(frame);
      }
    } catch (error) {
      const foreign = this.#hasReadAFrame ? undefined : foreignProtocolOf(chunk);
      this.#refuse(foreign ?? error);
      return;
    }
    this.#countMemory();
    this.#advance();
  }

  #advance(): void {
    while (this.#waiting.length > 0 && !this.#isOverfull() && !this.#socket.destroyed) {
      const frame = this.#waiting[0]!;
      try {
        const { header, rest } = decodeRequestHeader(frame);
        const found = this.#options.routes.get(header.apiKey);
        this.#current = { api: found?.api.name ?? `api key ${header.apiKey}`, version: header.apiVersion };
        const overlaps = found?.overlaps === true;
        if (this.#begun.some((slot) => !(slot.overlaps && overlaps))) break;
        this.#waiting.shift();
        const letsGoOfFrame = found?.letsGoOfFrame === true;
        this.#begin(header, rest, found, { frame, overlaps, letsGoOfFrame, answer: undefined, onSent: [] });
      } catch (error) {
        this.#refuse(error);
        return;
      }
    }
    this.#readOnOrPause();
  }

  /** @throws ProtocolError where the request cannot be understood */
  #begin(header: RequestHeader, body: Reader, found: Route | undefined, slot: Slot): void {
    this.#begun.push(slot);
    const { apiVersion: version, correlationId } = header;
    if (found === undefined) throw new ProtocolError('unsupported-version', 'this API is not served');
    if (version < found.minVersion || version > found.maxVersion) {
      if (found.api.key === apis.apiVersions.key) {
        this.#answer(slot, answerUnknownApiVersions(correlationId));
        return;
      }
      const served = `${found.minVersion} to ${found.maxVersion}`;
      throw new ProtocolError('unsupported-version', `version ${version} is not among ${served}`);
    }
    const { advertisedHost, advertisedPort } = this.#options.listener;
    const context = {
      version,
      clientId: header.clientId ?? '',
      clientHost: `/${this.#socket.remoteAddress ?? LOOPBACK}`,
      advertisedHost,
      advertisedPort,
      signal: this.#abort.signal,
      onSent: (listener: () => void) => void slot.onSent.push(listener),
    };
    const request = { api: found.api.name, version };
    found.answer(correlationId, body, context).then(
      (answer) => {
        this.#answer(slot, answer ?? []);
        this.#advance();
      },
      (error) => {
        this.#current = request;
        this.#refuse(error);
      },
    );
  }

  #answer(slot: Slot, answer: readonly Buffer[]): void {
    slot.answer = answer;
    this.#corkForNow();
    while (this.#begun[0]?.answer !== undefined) {
      const { frame, letsGoOfFrame, answer: chunks, onSent } = this.#begun.shift()!;
      this.#unansweredBytes -= frame.length;
      if (letsGoOfFrame) this.#options.frameMemory.giveBack(frame);
      for (const chunk of chunks!) this.#socket.write(chunk);
      if (onSent.length > 0) this.#tellWhenSent(onSent);
    }
    this.#countMemory();
    this.#endWhenDrained();
  }

  #tellWhenSent(listeners: readonly (() => void)[]): void {
    // Written behind the answer, it is through when all of that is.
    this.#socket.write(NOTHING, (error) => {
      if (error == null) for (const listener of listeners) listener();
    });
  }

  /** Answers that come together, of appends that shared a write, go out together. */
  #corkForNow(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.#socket.uncork();
    });
  }

  #countMemory(): void {
    if (this.#socket.destroyed) return;
    const held = { unfinishedBytes: this.#splitter.bufferedBytes, unansweredBytes: this.#unansweredBytes };
    this.#options.memory.hold(this, held);
  }

  #isOverfull(): boolean {
    const { unansweredRequests, unsentBytes } = this.#options.limits;
    // Only a socket that needs it tells when it has drained.
    const isUnread = this.#socket.writableNeedDrain && this.#socket.writableLength > unsentBytes;
    return this.#begun.length >= unansweredRequests || isUnread;
  }

  #readOnOrPause(): void {
    if (this.#isDraining) return;
    const { unansweredRequests, unansweredBytes } = this.#options.limits;
    const unanswered = this.#waiting.length + this.#begun.length;
    // Whoever waits for an answer of its own reads on when that is sent.
    const mustWait = this.#begun.length > 0 && this.#options.memory.isFull;
    const isTooMuch =
      unanswered >= unansweredRequests || this.#unansweredBytes > unansweredBytes || mustWait || this.#isOverfull();
    if (isTooMuch) this.#socket.pause();
    else this.#socket.resume();
  }

  #endWhenDrained(): void {
    if (this.#isDraining && this.#begun.length === 0) this.#socket.end();
  }

  /** Requests that wait long are not idle; a client that neither sends nor reads is. */
  #endIdle(): void {
    if (this.#begun.length > 0 && this.#socket.writableLength === 0) {
      this.#socket.setTimeout(this.#options.limits.idleMs);
      return;
    }
    this.#log('debug', `idle for ${this.#options.limits.idleMs} ms`);
    this.#socket.destroy();
  }

  /** Ends the connection: after bytes that cannot be understood nothing that follows can be. */
  #refuse(error: unknown): void {
    if (this.#socket.destroyed) return;
    if (error instanceof ProtocolError) {
      this.#log('warn', error.message);
    } else if (typeof error === 'string') {
      this.#log('warn', error);
    } else {
      this.#options.log.error({ ...this.#describe(), err: error }, 'a request failed: connection closed');
    }
    this.#waiting.length = 0;
    this.#options.memory.release(this);
    this.#socket.destroy();
  }

  #log(level: 'warn' | 'debug', reason: string): void {
    this.#options.log[level]({ ...this.#describe(), reason }, `connection closed: ${reason}`);
  }

  #describe(): object {
    return { peer: this.#peer, listener: this.#options.listener.name, ...this.#current };
  }
}
