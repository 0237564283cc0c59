import type { TradingDate } from '@tickfold/market';
import { type Database, openReadOnly } from './database.ts';
import { unreadableHistoryError } from './errors.ts';
import { HISTORY_FORMAT } from './schema.ts';

/** `synthetic`: made up, and to be called so wherever it is shown. `none`: the feed has no past. */
export type HistoryOrigin = 'synthetic' | 'real' | 'none';

export interface HistoryMeta {
  origin: HistoryOrigin;
  identity: string;
  description: string;
  /** The session that the history is for; everything in it is earlier. */
  sessionDate: TradingDate;
  /** Sentences that say what stands in for data that is not there. */
  standIns: string[];
  createdBy: string;
  /** Sessions with trades. */
  sessions: number;
  trades: number;
  minuteBars: number;
  dailyBars: number;
}

/** @throws HistoryError when the file is no history of this format */
export async function readMeta(path: string): Promise<HistoryMeta> {
  const database = await openReadOnly(path, '64MB').catch((error) => {
    throw unreadableHistoryError(path, error);
  });
  try {
    return await metaOf(database);
  } catch (error) {
    throw unreadableHistoryError(path, error);
  } finally {
    database.close();
  }
}

export async function metaOf({ connection }: Database): Promise<HistoryMeta> {
  const reader = await connection.runAndReadAll('SELECT key, value FROM meta');
  const values = new Map(reader.getRows().map(([key, value]) => [String(key), String(value)]));
  const textOf = (key: string): string => {
    const value = values.get(key);
    if (value === undefined) throw new Error(`its meta table has no ${key}`);
    return value;
  };
  const format = textOf('format');
  if (format !== HISTORY_FORMAT) throw new Error(`its format is ${format}, this version reads ${HISTORY_FORMAT}`);
  return {
    origin: textOf('origin') as HistoryOrigin,
    identity: textOf('identity'),
    description: textOf('description'),
    sessionDate: textOf('session_date'),
    standIns: textOf('stand_ins')
      .split('\n')
      .filter((sentence) => sentence !== ''),
    createdBy: textOf('created_by'),
    sessions: Number(textOf('sessions')),
    trades: Number(textOf('trades')),
    minuteBars: Number(textOf('minute_bars')),
    dailyBars: Number(textOf('daily_bars')),
  };
}
