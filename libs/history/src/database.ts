import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

export interface Database {
  readonly connection: DuckDBConnection;
  close(): void;
}

/** DuckDB takes most of a machine's memory and fetches extensions from the network unless it is told not to. */
const closedToTheOutside = { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' };

/** A new database file for one writer. */
export function createDatabase(path: string): Promise<Database> {
  return open(path, { ...closedToTheOutside, memory_limit: '400MB', threads: '2' });
}

/** A published file, for any number of readers in any number of processes. */
export function openReadOnly(path: string, memoryLimit: string): Promise<Database> {
  return open(path, {
    ...closedToTheOutside,
    access_mode: 'READ_ONLY',
    memory_limit: memoryLimit,
    threads: '1',
    enable_external_access: 'false',
  });
}

async function open(path: string, options: Record<string, string>): Promise<Database> {
  const instance = await DuckDBInstance.create(path, options);
  const connection = await instance.connect();
  return {
    connection,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
