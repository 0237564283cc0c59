import { preparedQueries } from '@tickfold/query';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { DiffRequest, Job, PreparedQuery, QueryRequest, ReplayRequest } from './contract.ts';
import { checkDiff, checkQuery, checkReplay } from './job-requests.ts';
import { JobQueueFullError } from './jobs/job-board.ts';
import type { DiffInput, JobPlace, QueryInput, ReplayInput } from './jobs/job-inputs.ts';
import type { JobKind } from './jobs/job-messages.ts';
import { ProblemError } from './problem.ts';
import { answers, changes, type TypeBoxProvider } from './route-answers.ts';
import type { ServerParts } from './server.ts';

const JobParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) });

/** Replays, diffs and queries: each is a job, asked for by POST and followed at its address. */
export function addJobRoutes(server: FastifyInstance, { state, workbench, jobs, jobPlace }: ServerParts): void {
  const api = server.withTypeProvider<TypeBoxProvider>();

  api.post(
    '/replays',
    {
      schema: {
        summary: 'Replay a snapshot through a version, with parameters of its own, into a new volume',
        body: ReplayRequest,
        response: changes(202, Job, 400, 404, 409, 429, 503),
      },
    },
    async ({ body }, reply) => {
      const underWay = () => jobs.underWay('replay').map((input) => (input as ReplayInput).into);
      await checkReplay(body, workbench, underWay);
      const job = start('replay', { ...jobPlace, ...body } satisfies ReplayInput);
      return reply.code(202).header('location', addressOf(job)).send(job);
    },
  );

  api.post(
    '/diffs',
    {
      schema: {
        summary: 'Compare two volumes, or pictures of them',
        body: DiffRequest,
        response: changes(202, Job, 400, 404, 429, 503),
      },
    },
    async ({ body }, reply) => {
      await checkDiff(body, workbench);
      const job = start('diff', { ...jobPlace, ...body } satisfies DiffInput);
      return reply.code(202).header('location', addressOf(job)).send(job);
    },
  );

  api.get(
    '/queries',
    { schema: { summary: 'Prepared SQL statements', response: answers(Type.Array(PreparedQuery)) } },
    async () => [...preparedQueries],
  );

  api.post(
    '/queries',
    {
      schema: {
        summary: "Run a prepared statement over live ticks, a version's decisions and history",
        body: QueryRequest,
        response: changes(202, Job, 400, 404, 429),
      },
    },
    async ({ body }, reply) => {
      checkQuery(body, state.models);
      const job = start('query', { ...jobPlace, ...body } satisfies QueryInput);
      return reply.code(202).header('location', addressOf(job)).send(job);
    },
  );

  api.get(
    '/jobs/:id',
    { schema: { summary: 'How a job goes, and its result', params: JobParams, response: answers(Job, 400, 404) } },
    async ({ params }) => known(params.id, jobs.find(params.id)),
  );

  api.delete(
    '/jobs/:id',
    {
      schema: {
        summary: 'Cancel a job; answers when it has ended, and leaves one that had ended as it is',
        params: JobParams,
        response: changes(200, Job, 400, 404),
      },
    },
    async ({ params }) => known(params.id, await jobs.cancel(params.id)),
  );

  function start(kind: JobKind, input: JobPlace): Job {
    try {
      return jobs.start(kind, input);
    } catch (error) {
      if (error instanceof JobQueueFullError) throw new ProblemError(429, error.message);
      throw error;
    }
  }
}

const addressOf = ({ id }: Job): string => `/api/jobs/${id}`;

function known(id: string, job: Job | undefined): Job {
  if (job) return job;
  throw new ProblemError(404, `There is no job ${id}; only the last ones are kept. Start it again.`);
}
