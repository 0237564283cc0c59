/** SQL over the live streams, one version's decisions and history together. */
export { QueryError } from './errors.ts';
export { findPreparedQuery, type PreparedQuery, preparedQueries } from './prepared-queries.ts';
export { type QueryOptions, type QueryResult, runPreparedQuery } from './run-prepared-query.ts';
