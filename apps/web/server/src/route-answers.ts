import type { FastifyTypeProvider } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { Problem } from './contract.ts';
import { titleOf } from './problem.ts';

/** Requests and answers of a route have the types of their schemas. */
export interface TypeBoxProvider extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

/** Problems that any route can end in: a Host of somebody else, and a fault of ours. */
export const ANYWHERE = [421, 500];
/** And those that change something: an Origin of somebody else. */
const CHANGING = [403];

/** Answers of a route, with the problems that it can end in, so that OpenAPI tells both. */
export function answers<T extends TSchema>(schema: T, ...problems: number[]) {
  return { 200: schema, ...described([...problems, ...ANYWHERE]) } as { 200: T };
}

/** As `answers`, of a route that changes or starts something. */
export function changes<Status extends number, T extends TSchema>(status: Status, schema: T, ...problems: number[]) {
  return { [status]: schema, ...described([...problems, ...CHANGING, ...ANYWHERE]) } as { [Key in Status]: T };
}

export const problemAnswer = (status: number) => ({
  description: titleOf(status),
  content: { 'application/problem+json': { schema: Problem } },
});

function described(statuses: number[]) {
  return Object.fromEntries(statuses.map((status) => [status, problemAnswer(status)] as const));
}
