/** A statement that is ready to be run. Its tables are described in docs/queries.md. */
export interface PreparedQuery {
  name: string;
  title: string;
  description: string;
  sql: string;
}
