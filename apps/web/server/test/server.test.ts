import { createConnection } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DashboardState } from '../src/dashboard-state.ts';
import type { LiveHub } from '../src/live-hub.ts';
import { buildServer } from '../src/server.ts';
import { listen } from '../src/web.ts';
import { serverParts } from './server-parts.ts';
import { playSimulatedDay } from './simulated-day.ts';

const HOST = 'localhost:3000';
const GET = { method: 'GET', headers: { host: HOST } } as const;

let state: DashboardState;
let hub: LiveHub;
let server: FastifyInstance;
let ready: boolean;

beforeEach(async () => {
  ready = true;
  const parts = serverParts();
  ({ state, hub } = parts);
  const health = { ...parts.health, healthJson: () => ({ app: 'web', ready }), isReady: () => ready };
  server = await buildServer({ ...parts, health });
});

afterEach(async () => {
  hub.close();
  await server.close();
});

/** Plays until the versions have differed, so that every route has something to say. */
function play(): void {
  for (const _ of playSimulatedDay(state, { symbolCount: 8, peakTicksPerSecond: 400 })) {
    if (state.differences.total > 2) return;
  }
  throw new Error('the versions never differed');
}

test.each(['/api/overview', '/api/symbols', '/api/models', '/api/models/equity', '/api/differences', '/api/services'])(
  '%s answers before any tick has come',
  async (url) => {
    const response = await server.inject({ ...GET, url });
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toMatch(/^application\/json/);
  },
);

test('a played session is told by overview, symbols, one symbol, its bars and equity', async () => {
  play();
  const json = async (url: string) => (await server.inject({ ...GET, url })).json();
  expect(await json('/api/overview')).toMatchObject({ feed: { kind: 'sim' }, clock: { phase: 'regular' } });
  const [first] = await json('/api/symbols?limit=1');
  expect(first.volume).toBeGreaterThan(0);
  const detail = await json(`/api/symbols/${first.symbol.toLowerCase()}`);
  expect(detail).toMatchObject({ row: first, history: { days: [{ date: '2013-10-07' }] } });
  expect(detail.bars.length).toBeGreaterThan(1);
  const { bars } = await json(`/api/symbols/${first.symbol}/bars?fromMs=${detail.bars.at(-1).startMs}`);
  expect(bars).toEqual([detail.bars.at(-1)]);
  expect(Object.keys(await json('/api/models/equity'))).toEqual(['reversion-1', 'reversion-2']);
});

test('a difference says why: the tick, the features, both actions with a sentence, and the parameters', async () => {
  play();
  const { newest } = (await server.inject({ ...GET, url: '/api/differences?limit=1' })).json();
  const detail = (await server.inject({ ...GET, url: `/api/differences/${newest[0].id}` })).json();
  expect(detail.difference).toEqual(newest[0]);
  expect(detail.tick.map(({ name }: { name: string }) => name)).toContain('source');
  expect(detail.features).toHaveLength(4);
  expect(detail.sides.map(({ model }: { model: string }) => model)).toEqual(['reversion-1', 'reversion-2']);
  for (const side of detail.sides) expect(side.reason).toMatch(/\w+.*\.$/);
});

test.each([
  ['/api/nothing', 404, 'GET /api/nothing'],
  ['/nothing', 404, 'GET /nothing'],
  ['/api/symbols/NOPE', 404, 'The symbol NOPE has had no tick'],
  ['/api/symbols?limit=0', 400, 'limit'],
  ['/api/symbols?limit=many', 400, 'limit'],
  ['/api/differences/0-1', 404, 'The difference 0-1'],
  ['/api/differences/latest', 400, 'id'],
])('%s is problem %i that names %s', async (url, status, detail) => {
  const response = await server.inject({ ...GET, url });
  expect(response.statusCode).toBe(status);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(response.json()).toMatchObject({
    type: 'about:blank',
    status,
    instance: url,
    detail: expect.stringContaining(detail),
  });
});

test('a path that cannot be decoded is a problem too', async () => {
  const response = await server.inject({ ...GET, url: '/api/symbols/%FF' });
  expect(response.statusCode).toBe(400);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(response.json()).toMatchObject({ status: 400, detail: expect.stringContaining('/api/symbols/%FF') });
});

test('bytes that are no request are answered with a problem', async () => {
  await listen(server, '127.0.0.1', 0);
  const { port } = server.server.address() as { port: number };
  const answerTo = (bytes: string) =>
    new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = createConnection(port, '127.0.0.1', () => socket.write(bytes));
      socket.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      socket.on('end', () => resolve(text)).on('error', reject);
    });
  const broken = await answerTo('BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  expect(broken).toMatch(/^HTTP\/1\.1 400 .*Content-Type: application\/problem\+json/s);
  const overlong = await answerTo(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`);
  expect(overlong).toMatch(/^HTTP\/1\.1 431 .*"status":431/s);
});

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const)(
  'a cross-site %s is refused by the name of its Origin, on known and unknown paths alike',
  async (method) => {
    for (const url of ['/api/overview', '/api/nothing', '/']) {
      const response = await server.inject({ method, url, headers: { host: HOST, origin: 'http://evil.example' } });
      expect(response.statusCode).toBe(403);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(response.json().detail).toContain('http://evil.example');
      expect(response.headers).not.toHaveProperty('access-control-allow-origin');
    }
  },
);

test.each([undefined, 'null', 'http://localhost:3001', 'ftp://localhost:3000', 'http://localhost:3000.evil.example'])(
  'a POST with the Origin %s is refused',
  async (origin) => {
    const headers = { host: HOST, ...(origin === undefined ? {} : { origin }) };
    expect((await server.inject({ method: 'POST', url: '/api/overview', headers })).statusCode).toBe(403);
  },
);

test('a POST from this origin gets as far as the routes', async () => {
  const response = await server.inject({
    method: 'POST',
    url: '/api/overview',
    headers: { host: HOST, origin: `http://${HOST}` },
  });
  expect(response.statusCode).toBe(404);
});

test('a Host that is rebound to this address is refused, with the mend', async () => {
  const response = await server.inject({ method: 'GET', url: '/api/overview', headers: { host: 'evil.example' } });
  expect(response.statusCode).toBe(421);
  expect(response.json().detail).toMatch(/"evil\.example".*ALLOWED_HOSTS=evil\.example/);
});

test('answers may not be guessed at or framed, and run no foreign script', async () => {
  const { headers } = await server.inject({ ...GET, url: '/api/overview' });
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers['content-security-policy']).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
});

test('health, readiness and metrics are those of the app', async () => {
  expect((await server.inject({ ...GET, url: '/healthz' })).json()).toMatchObject({ app: 'web' });
  expect((await server.inject({ ...GET, url: '/readyz' })).statusCode).toBe(200);
  ready = false;
  expect((await server.inject({ ...GET, url: '/readyz' })).statusCode).toBe(503);
  expect((await server.inject({ ...GET, url: '/metrics' })).body).toBe('up 1\n');
});

test('OpenAPI tells every route with its answer and its problems', async () => {
  const { paths } = (await server.inject({ ...GET, url: '/api/docs/json' })).json();
  expect(Object.keys(paths).sort()).toEqual([
    '/api/championship',
    '/api/championship/promote',
    '/api/championship/rollback',
    '/api/differences',
    '/api/differences/{id}',
    '/api/diffs',
    '/api/jobs/{id}',
    '/api/live',
    '/api/models',
    '/api/models/equity',
    '/api/overview',
    '/api/queries',
    '/api/replays',
    '/api/services',
    '/api/snapshots',
    '/api/symbols',
    '/api/symbols/{symbol}',
    '/api/symbols/{symbol}/bars',
    '/api/volumes',
  ]);
  const { responses } = paths['/api/differences/{id}'].get;
  expect(responses['200'].content['application/json'].schema.properties).toHaveProperty('sides');
  for (const status of [400, 404, 421, 500]) {
    expect(responses[status].content).toHaveProperty('application/problem+json');
  }
  expect((await server.inject({ ...GET, url: '/api/docs' })).statusCode).toBeLessThan(400);
});

test('a live client gets a whole frame and then changes, and is forgotten when it leaves', async () => {
  play();
  await listen(server, '127.0.0.1', 0);
  const { port } = server.server.address() as { port: number };
  const stop = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/api/live`, { signal: stop.signal });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  const events = eventsOf(response);
  expect(await events.next()).toMatchObject({ value: { whole: true, overview: { feed: { kind: 'sim' } } } });
  hub.broadcast({ whole: false });
  expect(await events.next()).toMatchObject({ value: { whole: false } });
  stop.abort();
  await expect.poll(() => hub.clientCount).toBe(0);
});

test('a taken port is an error that names the port and another to try', async () => {
  await listen(server, '127.0.0.1', 0);
  const { port } = server.server.address() as { port: number };
  const second = await buildServer(serverParts());
  await expect(listen(second, '127.0.0.1', port)).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining(`Port ${port}`),
    mend: expect.stringContaining(`PORT=${port + 1}`),
  });
  await second.close();
});

async function* eventsOf(response: Response): AsyncGenerator<unknown, void> {
  let text = '';
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += new TextDecoder().decode(bytes);
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end));
      text = text.slice(end + 2);
      if (data) yield JSON.parse(data[1]!);
    }
  }
}
