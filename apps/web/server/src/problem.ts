import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from './contract.ts';

const TITLES: Record<number, string> = {
  400: 'The request is not valid',
  403: 'Refused',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'Too large',
  415: 'Media type not supported',
  408: 'Too slow',
  409: 'Not possible as things are',
  421: 'Not for this server',
  429: 'Too much at once',
  431: 'Header too large',
  500: 'Something broke inside the server',
  503: 'Not available yet',
};

/** An answer that is a problem, thrown by routes and hooks. `detail` names the value and the mend. */
export class ProblemError extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.name = 'ProblemError';
    this.status = status;
  }
}

export const titleOf = (status: number): string => TITLES[status] ?? 'The request failed';

export function toProblem(status: number, detail: string, instance: string): Problem {
  return { type: 'about:blank', title: titleOf(status), status, detail, instance };
}

/** Errors of Fastify itself, before any route or hook: a path that cannot be decoded. */
export function answerFrameworkProblem(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(request, reply, statusOf(error), `${error.message}. The API is listed at /api/docs.`);
}

const STATUS_OF_BROKEN: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** Bytes that Node.js could not read as a request: there is no request to answer, only a socket to write to. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF_BROKEN[error.code ?? ''] ?? 400;
  const problem = toProblem(status, `This is no HTTP request that can be read (${error.code ?? error.message}).`, '');
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${status} ${problem.title}\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/**
 * Every error of this server, unknown paths and failed validation included, is `application/problem+json`.
 * @param answerPage answers paths that may be the page's own, and says whether it did
 */
export function answerProblems(
  server: FastifyInstance,
  answerPage: (request: FastifyRequest, reply: FastifyReply) => boolean,
): void {
  server.setErrorHandler<FastifyError | ProblemError>((error, request, reply) => {
    const status = statusOf(error);
    if (status >= 500) request.log.error({ err: error }, 'request failed');
    const detail = status === 500 ? 'The cause is in the log of the web app.' : error.message;
    return sendProblem(request, reply, status, detail);
  });
  server.setNotFoundHandler((request, reply) => {
    if (answerPage(request, reply)) return reply;
    const detail = `There is nothing at ${request.method} ${request.url}. The API is listed at /api/docs.`;
    return sendProblem(request, reply, 404, detail);
  });
}

function statusOf(error: FastifyError | ProblemError): number {
  if (error instanceof ProblemError) return error.status;
  const status = error.statusCode ?? 500;
  return status >= 400 ? status : 500;
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, status: number, detail: string): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(toProblem(status, detail, request.url));
}
