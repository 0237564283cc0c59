import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { eventText, LiveHub, MAX_UNSENT_BYTES } from './live-hub.ts';

class FakeResponse extends EventEmitter {
  written = '';
  writableLength = 0;
  destroyed = false;
  status = 0;
  writeHead(status: number): void {
    this.status = status;
  }
  getHeaders(): Record<string, string> {
    return {};
  }
  write(text: string): boolean {
    this.written += text;
    return true;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function connect(hub: LiveHub, first: unknown): FakeResponse {
  const response = new FakeResponse();
  hub.add(response as unknown as ServerResponse, first);
  return response;
}

test('an event is one data line, whatever line breaks its texts hold, and an empty line', () => {
  const text = eventText({ detail: 'two\nlines\r\n' });
  expect(text.split('\n')).toEqual([expect.stringMatching(/^data: \{/), '', '']);
  expect(JSON.parse(text.slice('data: '.length))).toEqual({ detail: 'two\nlines\r\n' });
});

test('a client gets the whole frame first and then what is broadcast', () => {
  const hub = new LiveHub();
  const client = connect(hub, { whole: true });
  hub.broadcast({ whole: false });
  hub.heartbeat();
  expect(client.status).toBe(200);
  expect(client.written).toMatch(/^retry: \d+\ndata: \{"whole":true\}\n\ndata: \{"whole":false\}\n\n: heartbeat\n\n$/);
});

test('a client that does not take what is sent is dropped, and the others go on', () => {
  const hub = new LiveHub();
  const slow = connect(hub, {});
  const quick = connect(hub, {});
  slow.writableLength = MAX_UNSENT_BYTES + 1;
  hub.broadcast({ number: 1 });
  expect(slow).toMatchObject({ destroyed: true, written: expect.not.stringContaining('number') });
  expect(quick.written).toContain('{"number":1}');
  expect([hub.clientCount, hub.dropped]).toEqual([1, 1]);
});

test('a client that went away is forgotten', () => {
  const hub = new LiveHub();
  connect(hub, {}).emit('close');
  expect(hub.clientCount).toBe(0);
});
