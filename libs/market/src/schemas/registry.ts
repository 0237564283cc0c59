import { type Decision, decisionVersions } from './decision.ts';
import { type EnrichedTick, enrichedTickVersions } from './enriched-tick.ts';
import { type EquityMark, equityMarkVersions } from './equity-mark.ts';
import { defineSchema, type EventSchema, SchemaError } from './event-schema.ts';
import { type Fill, fillVersions } from './fill.ts';
import { type Promotion, promotionVersions } from './promotion.ts';
import { type PromotionCommand, promotionCommandVersions } from './promotion-command.ts';
import { type Run, runVersions } from './run.ts';
import { type SourceSession, sourceSessionVersions } from './source-session.ts';

/** Every schema'd value of the application. An event's type and versions stand in the file of its name beside this one. */
export const enrichedTickSchema: EventSchema<EnrichedTick> = defineSchema('enriched-tick', enrichedTickVersions);
export const decisionSchema: EventSchema<Decision> = defineSchema('decision', decisionVersions);
export const fillSchema: EventSchema<Fill> = defineSchema('fill', fillVersions);
export const equityMarkSchema: EventSchema<EquityMark> = defineSchema('equity-mark', equityMarkVersions);
export const sourceSessionSchema: EventSchema<SourceSession> = defineSchema('source-session', sourceSessionVersions);
export const runSchema: EventSchema<Run> = defineSchema('run', runVersions);
export const promotionCommandSchema: EventSchema<PromotionCommand> = defineSchema(
  'promotion-command',
  promotionCommandVersions,
);
export const promotionSchema: EventSchema<Promotion> = defineSchema('promotion', promotionVersions);

/** What `decodeEvent` knows. */
const allSchemas: readonly EventSchema<unknown>[] = [
  enrichedTickSchema as EventSchema<unknown>,
  decisionSchema as EventSchema<unknown>,
  fillSchema as EventSchema<unknown>,
  equityMarkSchema as EventSchema<unknown>,
  sourceSessionSchema as EventSchema<unknown>,
  runSchema as EventSchema<unknown>,
  promotionCommandSchema as EventSchema<unknown>,
  promotionSchema as EventSchema<unknown>,
];

/**
 * Decodes a value by its record's `schema` header, older versions included.
 * @throws SchemaError when no schema of that name and version is known, or the bytes do not fit it
 */
export function decodeEvent(schemaId: string | undefined, bytes: Uint8Array): unknown {
  const name = schemaId?.split('/')[0];
  const schema = allSchemas.find((candidate) => candidate.name === name);
  if (schema === undefined) {
    const known = allSchemas.map((candidate) => candidate.id).join(', ');
    throw new SchemaError(`Unknown schema "${schemaId ?? ''}"; known here: ${known}.`);
  }
  return schema.decode(bytes, schemaId);
}
