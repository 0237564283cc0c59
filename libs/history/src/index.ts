export {
  type BuildOptions,
  type BuildOutcome,
  buildHistory,
  type HistorySource,
  type HistoryTarget,
} from './build-history.ts';
export { emptyHistory } from './empty-history.ts';
export { HistoryError } from './errors.ts';
export { type Bar, type DailyBar, type History, type MinuteBar, openHistory } from './history.ts';
export { historySourceFor } from './history-source.ts';
export { leanHistory } from './lean-history.ts';
export type { HistoryMeta, HistoryOrigin } from './meta.ts';
export { loadReference, type SymbolReference } from './reference.ts';
export { HISTORY_FORMAT, historyPath } from './schema.ts';
export { simulatedHistory } from './simulated-history.ts';
export { SizeDistribution } from './size-distribution.ts';
