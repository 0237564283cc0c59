import type { DifferenceDetail, HistoricDay } from './contract.ts';
import type { DecidedDifference } from './difference-join.ts';
import type { ModelFacts } from './explain-difference.ts';

/** What is looked up when somebody asks, rather than folded as it happens. */
export interface DetailSource {
  /** The last 20 sessions of a symbol before this one, oldest first. */
  earlierDays(symbol: string): Promise<HistoricDay[]>;
  modelFacts(model: string): ModelFacts;
  explain(difference: DecidedDifference): DifferenceDetail;
}
