export const promotionCommandActions = ['promote', 'rollback'] as const;
export type PromotionCommandAction = (typeof promotionCommandActions)[number];

/** `live.commands`: somebody asks for another champion. `live.promotions` answers under the same id. */
export interface PromotionCommand {
  id: string;
  action: PromotionCommandAction;
  /** The version to make champion; null for a rollback. */
  model: string | null;
  /** Who asks, and from where: `ana (command line)`, `browser`. */
  by: string;
  /** Wall clock, UTC milliseconds. */
  atMs: number;
  /** Not carried out after this, wall clock, UTC milliseconds: its sender was told that nobody answered. */
  expiresAtMs: number;
}

/** Oldest first; the last one is written. */
export const promotionCommandVersions = [
  {
    type: 'record',
    name: 'PromotionCommand',
    namespace: 'tickfold',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'action', type: { type: 'enum', name: 'PromotionCommandAction', symbols: promotionCommandActions } },
      { name: 'model', type: ['null', 'string'], default: null },
      { name: 'by', type: 'string' },
      { name: 'atMs', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'expiresAtMs', type: { type: 'long', logicalType: 'timestamp-millis' } },
    ],
  },
] as const;
