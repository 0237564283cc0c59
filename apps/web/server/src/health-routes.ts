import type { FastifyInstance } from 'fastify';

/** The part of the app handle that `/healthz`, `/readyz` and `/metrics` need. */
export interface HealthSource {
  healthJson(): unknown;
  isReady(): boolean;
  metrics: { contentType: string; metrics(): Promise<string> };
}

export function addHealthRoutes(server: FastifyInstance, source: HealthSource): void {
  const hidden = { schema: { hide: true } };
  server.get('/healthz', hidden, async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return source.healthJson();
  });
  server.get('/readyz', hidden, async (_request, reply) => {
    reply.header('cache-control', 'no-store').code(source.isReady() ? 200 : 503);
    return source.healthJson();
  });
  server.get('/metrics', hidden, async (_request, reply) => {
    reply.type(source.metrics.contentType);
    return source.metrics.metrics();
  });
}
