import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { addChampionshipRoutes } from './championship-routes.ts';
import type { DashboardState, FrameMaker } from './dashboard-state.ts';
import type { DetailSource } from './detail-source.ts';
import { addHealthRoutes, type HealthSource } from './health-routes.ts';
import { addJobRoutes } from './job-routes.ts';
import type { JobBoard } from './jobs/job-board.ts';
import type { JobPlace } from './jobs/job-inputs.ts';
import type { LiveHub } from './live-hub.ts';
import { isPagePath } from './page-path.ts';
import { answerBrokenRequest, answerFrameworkProblem, answerProblems } from './problem.ts';
import { addApiRoutes } from './routes.ts';
import { guardOrigins, type HostPolicy, sendSecurityHeaders } from './security.ts';
import { addVolumeRoutes } from './volume-routes.ts';
import type { Workbench } from './workbench.ts';

export interface ServerParts {
  state: DashboardState;
  frames: FrameMaker;
  hub: LiveHub;
  details: DetailSource;
  workbench: Workbench;
  jobs: JobBoard;
  jobPlace: JobPlace;
  health: HealthSource;
  hostPolicy: HostPolicy;
  log?: FastifyBaseLogger;
  clientFolder?: string;
}

/** Where the page's build lies, seen from this file's folder as well as from its build's. */
export const CLIENT_FOLDER = fileURLToPath(new URL('../../client/dist', import.meta.url));

/** The web server without its port: `listen` or `inject` it. */
export async function buildServer(parts: ServerParts): Promise<FastifyInstance> {
  const server = Fastify({
    ...(parts.log ? { loggerInstance: parts.log } : {}),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 65_536,
    forceCloseConnections: true,
    frameworkErrors: answerFrameworkProblem,
    clientErrorHandler: answerBrokenRequest,
  });
  sendSecurityHeaders(server);
  guardOrigins(server, parts.hostPolicy);
  const clientFolder = parts.clientFolder ?? CLIENT_FOLDER;
  const hasClient = existsSync(clientFolder);
  answerProblems(server, (request, reply) => {
    if (!hasClient || !isPagePath(request.method, request.url)) return false;
    reply.sendFile('index.html');
    return true;
  });

  await server.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tickfold',
        version: '0.1.0',
        description:
          'What the page shows. Prices and money are integers of 1/10,000 USD (E4), times are UTC milliseconds. Errors are application/problem+json (RFC 9457).',
      },
    },
  });
  await server.register(fastifySwaggerUi, { routePrefix: '/api/docs', staticCSP: true });
  addHealthRoutes(server, parts.health);
  await server.register(
    async (api) => {
      api.addHook('onSend', async (_request, reply) => {
        reply.header('cache-control', 'no-store');
      });
      for (const addRoutes of [addApiRoutes, addChampionshipRoutes, addVolumeRoutes, addJobRoutes])
        addRoutes(api, parts);
    },
    { prefix: '/api' },
  );

  if (hasClient) {
    await server.register(fastifyStatic, {
      root: clientFolder,
      setHeaders: (response, path) => {
        // Vite puts a hash of the content into the names below assets/.
        const forever = path.includes('/assets/');
        response.setHeader('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
      cacheControl: false,
    });
  }
  return server;
}
