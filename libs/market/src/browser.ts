/** What a page may import: types, topic names, time, money and symbols. No Node.js modules, no Avro. */
export * from './calendar/holidays.ts';
export * from './calendar/new-york-time.ts';
export * from './calendar/sessions.ts';
export * from './exchanges.ts';
export * from './money.ts';
export * from './names.ts';
export type { Decision, DecisionAction, DecisionReason } from './schemas/decision.ts';
export type { EnrichedTick } from './schemas/enriched-tick.ts';
export type { EquityMark } from './schemas/equity-mark.ts';
export type { Fill } from './schemas/fill.ts';
export type { Promotion, PromotionAction } from './schemas/promotion.ts';
export type { PromotionCommand } from './schemas/promotion-command.ts';
export type { Run } from './schemas/run.ts';
export type { SourceSession } from './schemas/source-session.ts';
export * from './symbols.ts';
export * from './tick.ts';
export * from './topics.ts';
