import { existsSync } from 'node:fs';
import { UserError } from '@tickfold/app-runtime';
import { historyPath, loadReference, openHistory, type SymbolReference } from '@tickfold/history';

/** What history knows of each symbol, and which history that is. */
export interface HistoricReferences {
  references: Map<string, SymbolReference>;
  historyIdentity: string | null;
}

/**
 * What the published history knows of each symbol before a session. The database is closed again: its memory is needed
 * elsewhere.
 *
 * @param sessionDate `YYYY-MM-DD` in New York
 * @throws UserError naming the path where there is no history
 */
export async function readReferences(dataDir: string, sessionDate: string): Promise<HistoricReferences> {
  const path = historyPath(dataDir);
  if (!existsSync(path)) {
    throw new UserError(
      `There is no history at ${path}: ticks cannot be joined with it.`,
      'Build it with npm start, or with the history app on the same DATA_DIR and SOURCE.',
    );
  }
  const history = await openHistory(path);
  try {
    return {
      references: await loadReference(history, sessionDate),
      historyIdentity: history.meta.identity,
    };
  } finally {
    await history.close();
  }
}
