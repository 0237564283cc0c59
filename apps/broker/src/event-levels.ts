import type { EngineEvent } from '@tickfold/log-engine';

/** How loud each event of the engine is in the log; docs/errors.md says what they mean. */
export const EVENT_LEVELS = {
  'volume-stopped': 'error',
  'range-damaged': 'error',
  'file-damaged': 'error',
  'truncated-tail': 'warn',
  'index-rebuilt': 'warn',
  'leftover-stays': 'warn',
  'maintenance-failed': 'warn',
  'disk-low': 'error',
  'disk-roomy': 'info',
  'snapshot-unhashed': 'warn',
  'transaction-aborted': 'warn',
  'segment-sealed': 'info',
  'segment-removed': 'info',
  recovered: 'info',
} as const satisfies Record<EngineEvent['kind'], string>;
