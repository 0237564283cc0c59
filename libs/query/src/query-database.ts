import { existsSync } from 'node:fs';
import { type DuckDBConnection, DuckDBInstance, type DuckDBPreparedStatement, StatementType } from '@duckdb/node-api';
import { QueryError } from './errors.ts';
import type { QueryLimits } from './limits.ts';

/**
 * An empty database in memory, with history attached as `history`. Once it is open it reaches nothing else, whatever a
 * statement says: no other file, no network, no setting, and no disk to spill to.
 *
 * @throws QueryError where there is no history, or it cannot be read
 */
export async function openQueryDatabase(
  historyPath: string,
  { memoryMiB, threads }: QueryLimits,
): Promise<{ connection: DuckDBConnection; close(): void }> {
  if (!existsSync(historyPath)) {
    throw new QueryError(
      `There is no history at ${historyPath}.`,
      'npm start builds it; set DATA_DIR to the folder that it uses.',
    );
  }
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${memoryMiB}MiB`,
    threads: String(threads),
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const close = (): void => {
    connection.closeSync();
    instance.closeSync();
  };
  try {
    await attachHistory(connection, historyPath);
    await connection.run('SET enable_external_access = false; SET lock_configuration = true');
    return { connection, close };
  } catch (error) {
    close();
    throw error;
  }
}

async function attachHistory(connection: DuckDBConnection, path: string): Promise<void> {
  try {
    await connection.run(`ATTACH '${path.replaceAll("'", "''")}' AS history (READ_ONLY)`);
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new QueryError(
      `${path} cannot be opened as a history (${reason}).`,
      'Run npm run clean to remove the data; the next start builds it again.',
      { cause: error },
    );
  }
}

/** @throws QueryError where the text is not one statement that only reads */
export async function prepareSelect(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql);
  const statement = statements.count === 1 ? await statements.prepare(0) : undefined;
  if (statement?.statementType === StatementType.SELECT) return statement;
  throw new QueryError('Only one statement that reads is run.', 'Write it as a single SELECT.');
}
