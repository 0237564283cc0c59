import { decisionsInContext } from './decisions-in-context.ts';
import { QueryError } from './errors.ts';
import { fiveMinutesLater } from './five-minutes-later.ts';
import { defaultLimits } from './limits.ts';
import type { PreparedQuery } from './prepared-query.ts';

const BOUND = `Reads the newest ${defaultLimits.newestPerPartition.toLocaleString('en')} ticks of each partition, and the decisions about them.`;

export const preparedQueries: readonly PreparedQuery[] = [decisionsInContext, fiveMinutesLater].map((query) => ({
  ...query,
  description: `${query.description} ${BOUND}`,
}));

/** @throws QueryError listing the known names */
export function findPreparedQuery(name: string): PreparedQuery {
  const query = preparedQueries.find((each) => each.name === name);
  if (query !== undefined) return query;
  const known = preparedQueries.map((each) => each.name).join(', ');
  throw new QueryError(`There is no prepared query ${name}.`, `Choose one of ${known}.`);
}
