import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { pollServices, ServiceBoard } from '../src/services.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(answer: RequestListener): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

test('a poll tells an app that answers, one that stays silent, and one that is gone', async () => {
  const well = await serve((_request, response) => {
    response.end(JSON.stringify({ instanceId: 'one', ready: true, detail: 'ok' }));
  });
  const silent = await serve(() => {});
  const board = new ServiceBoard(['well', 'silent', 'gone']);
  board.apply('gone', { instanceId: 'one', ready: true }, 0);
  const gone = await serve(() => {});
  await gone.close();
  const answering = [
    { name: 'well', url: well.url },
    { name: 'gone', url: gone.url },
  ];
  await pollServices(board, answering, 10_000);
  await pollServices(board, [{ name: 'silent', url: silent.url }], 100);
  expect(board.list().map(({ name, state }) => [name, state])).toEqual([
    ['well', 'up'],
    ['silent', 'not-ready'],
    ['gone', 'down'],
  ]);
});
