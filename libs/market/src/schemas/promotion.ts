/** `initial`: the first champion. `refused`: nothing changed, and `reason` says why. */
export const promotionActions = ['initial', 'promote', 'rollback', 'refused'] as const;
export type PromotionAction = (typeof promotionActions)[number];

/** `live.promotions`: the audit stream. Its last record that is not `refused` says who is champion. */
export interface Promotion {
  /** The command's id; null for the first champion. */
  commandId: string | null;
  action: PromotionAction;
  /** Champion from now on. */
  champion: string;
  /** Champion before; null for the first. */
  previous: string | null;
  by: string;
  /** When it was asked for, wall clock, UTC milliseconds. */
  askedAtMs: number;
  /** When it took effect or was refused, wall clock, UTC milliseconds. */
  atMs: number;
  /**
   * For each partition of `market.enriched`: the first offset whose decision comes from this champion. Empty when refused.
   */
  fromInput: number[];
  /** Why it was refused; null otherwise. */
  reason: string | null;
}

/** Oldest first; the last one is written. */
export const promotionVersions = [
  {
    type: 'record',
    name: 'Promotion',
    namespace: 'tickfold',
    fields: [
      { name: 'commandId', type: ['null', 'string'], default: null },
      { name: 'action', type: { type: 'enum', name: 'PromotionAction', symbols: promotionActions } },
      { name: 'champion', type: 'string' },
      { name: 'previous', type: ['null', 'string'], default: null },
      { name: 'by', type: 'string' },
      { name: 'askedAtMs', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'atMs', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'fromInput', type: { type: 'array', items: 'long' } },
      { name: 'reason', type: ['null', 'string'], default: null },
    ],
  },
] as const;
