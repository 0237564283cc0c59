import { readInteger, readNumber, readText, UsageError } from '@tickfold/app-runtime';
import {
  FeedError,
  isDate,
  parseSourceSpec,
  type SourceOptions,
  type SourceSpec,
  simulatorDefaults,
} from '@tickfold/market';

export interface IngestSettings {
  source: SourceSpec;
  options: SourceOptions;
  /** Event time passes this many times faster than the clock; 0: as fast as it goes. */
  speed: number;
  /** Ticks that enrichment may be behind before ingest waits for it. */
  lagMax: number;
}

export const DEFAULT_SPEED = 60;
const DEFAULT_LAG_MAX = 300_000;

/** @throws UsageError naming the variable and its value */
export function readSettings(env: Readonly<Record<string, string | undefined>>): IngestSettings {
  const date = readText(env, 'SOURCE_DATE', '');
  if (date !== '' && !isDate(date)) {
    throw new UsageError(`SOURCE_DATE=${date} is no date.`, 'Set SOURCE_DATE to a date of the form YYYY-MM-DD.');
  }
  return {
    source: readSource(readText(env, 'SOURCE', 'sim')),
    options: {
      ...(date === '' ? {} : { date }),
      sim: {
        seed: readInteger(env, 'SIM_SEED', simulatorDefaults.seed, { min: 0, max: 0xffff_ffff }),
        symbolCount: readInteger(env, 'SIM_SYMBOLS', simulatorDefaults.symbolCount, { min: 1, max: 10_000 }),
        peakTicksPerSecond: readInteger(env, 'SIM_RATE', simulatorDefaults.peakTicksPerSecond, {
          min: 1,
          max: 10_000_000,
        }),
      },
    },
    speed: readNumber(env, 'SPEED', DEFAULT_SPEED, { min: 0 }),
    lagMax: readInteger(env, 'MAX_LAG', DEFAULT_LAG_MAX, { min: 1 }),
  };
}

function readSource(text: string): SourceSpec {
  try {
    return parseSourceSpec(text);
  } catch (error) {
    if (error instanceof FeedError) throw new UsageError(`SOURCE: ${error.message}`, error.mend);
    throw error;
  }
}
