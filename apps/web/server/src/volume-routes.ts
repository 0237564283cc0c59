import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { Snapshot, SnapshotRequest, Volume } from './contract.ts';
import { asProblems } from './library-problem.ts';
import { answers, changes, type TypeBoxProvider } from './route-answers.ts';
import type { ServerParts } from './server.ts';

export function addVolumeRoutes(server: FastifyInstance, { workbench }: ServerParts): void {
  const api = server.withTypeProvider<TypeBoxProvider>();

  api.get(
    '/snapshots',
    {
      schema: { summary: 'Snapshots, newest last, with what they pin', response: answers(Type.Array(Snapshot)) },
    },
    async () => asProblems(() => workbench.snapshots()),
  );

  api.post(
    '/snapshots',
    {
      schema: {
        summary: 'Freeze a volume as it is now',
        body: SnapshotRequest,
        response: changes(201, Snapshot, 400, 404, 409, 503),
      },
    },
    async ({ body }, reply) => reply.code(201).send(await asProblems(() => workbench.createSnapshot(body.name))),
  );

  api.get(
    '/volumes',
    {
      schema: { summary: 'Volumes, with who wrote them last', response: answers(Type.Array(Volume), 503) },
    },
    async () => asProblems(() => workbench.volumes()),
  );
}
