import type { ServerResponse } from 'node:http';

/** A client that has this much unsent is dropped; it reconnects and starts from a whole frame. */
export const MAX_UNSENT_BYTES = 1_048_576;
/** Told to browsers: how long they wait before they reconnect. */
const RETRY_MS = 1_000;

/** One server-sent event with a JSON body, which never holds a line break. */
export function eventText(body: unknown): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}

/** The clients of `/api/live`. Nothing is buffered for a client that cannot keep up. */
export class LiveHub {
  readonly #clients = new Set<ServerResponse>();
  dropped = 0;

  get clientCount(): number {
    return this.#clients.size;
  }

  /** Takes over the response; `first` brings the client up to date. */
  add(response: ServerResponse, first: unknown): void {
    response.writeHead(200, {
      ...response.getHeaders(),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    response.write(`retry: ${RETRY_MS}\n${eventText(first)}`);
    this.#clients.add(response);
    response.on('close', () => this.#clients.delete(response));
    response.on('error', () => this.#clients.delete(response));
  }

  broadcast(frame: unknown): void {
    if (this.#clients.size > 0) this.#send(eventText(frame));
  }

  /** A comment that keeps proxies from closing a quiet connection, and finds clients that are gone. */
  heartbeat(): void {
    this.#send(': heartbeat\n\n');
  }

  close(): void {
    for (const client of this.#clients) client.end();
    this.#clients.clear();
  }

  #send(text: string): void {
    for (const client of this.#clients) {
      if (client.writableLength > MAX_UNSENT_BYTES) {
        this.#clients.delete(client);
        this.dropped += 1;
        client.destroy();
      } else {
        client.write(text);
      }
    }
  }
}
