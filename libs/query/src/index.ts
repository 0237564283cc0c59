/** SQL over the live streams, one version's decisions and history together. */
export { QueryError } from './errors.ts';
export { defaultLimits, type QueryLimits } from './limits.ts';
export { findPreparedQuery, preparedQueries } from './prepared-queries.ts';
export type { PreparedQuery } from './prepared-query.ts';
export { type QueryOptions, type QueryResult, runPreparedQuery } from './run-prepared-query.ts';
