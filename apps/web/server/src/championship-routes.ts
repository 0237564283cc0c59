import type { FastifyInstance } from 'fastify';
import { Championship, PromoteRequest, Promotion } from './contract.ts';
import { asProblems } from './library-problem.ts';
import { ProblemError } from './problem.ts';
import { answers, changes, type TypeBoxProvider } from './route-answers.ts';
import type { ServerParts } from './server.ts';

export function addChampionshipRoutes(server: FastifyInstance, { state, workbench }: ServerParts): void {
  const api = server.withTypeProvider<TypeBoxProvider>();

  api.get(
    '/championship',
    {
      schema: {
        summary: 'Who decides for live.decisions, what a rollback leads to, and the audit stream',
        response: answers(Championship),
      },
    },
    async () => state.championship.toJson(),
  );

  api.post(
    '/championship/promote',
    {
      schema: {
        summary: 'Make another version champion',
        body: PromoteRequest,
        response: changes(200, Promotion, 400, 409, 503),
      },
    },
    async ({ body }) => accepted(await asProblems(() => workbench.changeChampion('promote', body.model))),
  );

  api.post(
    '/championship/rollback',
    {
      schema: {
        summary: 'Undo the latest promotion that is not undone yet',
        response: changes(200, Promotion, 409, 503),
      },
    },
    async () => accepted(await asProblems(() => workbench.changeChampion('rollback', null))),
  );
}

/** @throws ProblemError where it was refused */
function accepted(promotion: Promotion): Promotion {
  if (promotion.action !== 'refused') return promotion;
  const reason = promotion.reason ?? 'It was refused.';
  throw new ProblemError(
    409,
    `${reason} ${promotion.champion} stays champion. /api/championship has the audit stream.`,
  );
}
