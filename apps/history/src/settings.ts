import { readInteger, readText, UsageError } from '@tickfold/app-runtime';
import { FeedError, isDate, parseSourceSpec, type SourceOptions, simulatorDefaults } from '@tickfold/market';

export interface HistorySettings {
  source: string;
  options: SourceOptions;
  dataDir: string;
}

/**
 * The same variables as ingest reads, so that both mean the same feed.
 * @throws UsageError naming the variable and its value
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): HistorySettings {
  const date = readText(env, 'SOURCE_DATE', '');
  if (date !== '' && !isDate(date)) {
    throw new UsageError(`SOURCE_DATE=${date} is no date.`, 'Set SOURCE_DATE to a date of the form YYYY-MM-DD.');
  }
  const { seed, symbolCount, peakTicksPerSecond } = simulatorDefaults;
  return {
    source: checkedSource(readText(env, 'SOURCE', 'sim')),
    options: {
      ...(date === '' ? {} : { date }),
      sim: {
        seed: readInteger(env, 'SIM_SEED', seed, { min: 0, max: 0xffff_ffff }),
        symbolCount: readInteger(env, 'SIM_SYMBOLS', symbolCount, { min: 1 }),
        peakTicksPerSecond: readInteger(env, 'SIM_RATE', peakTicksPerSecond, { min: 1 }),
      },
    },
    dataDir: readText(env, 'DATA_DIR', 'data/volumes'),
  };
}

function checkedSource(text: string): string {
  try {
    parseSourceSpec(text);
    return text;
  } catch (error) {
    if (error instanceof FeedError) throw new UsageError(`SOURCE: ${error.message}`, error.mend);
    throw error;
  }
}
