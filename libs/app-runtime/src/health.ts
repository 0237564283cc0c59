import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** What `/healthz` says of an app. */
export interface Health {
  app: string;
  /** New with every start of the process: how others notice a restart. */
  instanceId: string;
  /** UTC milliseconds. */
  startedAtMs: number;
  ready: boolean;
  detail: string;
  [field: string]: unknown;
}

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/** Serves `/healthz` (alive), `/readyz` (work flows) and `/metrics` (Prometheus text). */
export async function serveHealth(options: {
  host: string;
  port: number;
  health: () => Health;
  metrics: () => Registry;
}): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    } else if (path === '/healthz') {
      sendJson(response, 200, options.health());
    } else if (path === '/readyz') {
      const health = options.health();
      sendJson(response, health.ready ? 200 : 503, health);
    } else if (path === '/metrics') {
      const registry = options.metrics();
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        (error: Error) => response.writeHead(500).end(`metrics failed: ${error.message}\n`),
      );
    } else {
      response.writeHead(404).end('Not here. There is /healthz, /readyz and /metrics.\n');
    }
  });
  await listen(server, options.host, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function sendJson(response: import('node:http').ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
