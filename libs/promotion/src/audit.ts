import { headers, type Promotion, promotionSchema, SchemaError, topics } from '@tickfold/market';
import type { RecordView, StreamClient } from '@tickfold/stream';

/** A record of `live.promotions`. */
export interface AuditEntry {
  promotion: Promotion;
  /** Offset in `live.commands` of the command that it answers; undefined for the first champion. */
  command: bigint | undefined;
}

/** The whole audit stream, oldest first; empty where there is none yet. @throws StreamError */
export async function readPromotions(client: StreamClient): Promise<Promotion[]> {
  return (await readAudit(client)).map(({ promotion }) => promotion);
}

/**
 * As `readPromotions`, with the commands answered. A record that is no promotion was not written by `decisions`, and
 * counts for nobody.
 * @throws StreamError
 */
export async function readAudit(client: StreamClient): Promise<AuditEntry[]> {
  const topic = topics.promotions;
  if (!(await topicExists(client, topic))) return [];
  // Not the high watermark: it may lie behind damaged batches, where a consumer would wait for ever.
  const last = await client.lastRecord(topic, 0);
  if (last === undefined) return [];
  const entries: AuditEntry[] = [];
  const consumer = client.consumer({ assignments: [{ topic, partition: 0 }] });
  for await (const chunk of consumer) {
    for (const record of chunk.records()) {
      const promotion = decodePromotion(record);
      if (promotion !== undefined) entries.push({ promotion, command: commandOf(record) });
    }
    if (chunk.nextOffset > last.offset) break;
  }
  return entries;
}

/** Undefined where the record is no promotion. */
export function decodePromotion(record: RecordView): Promotion | undefined {
  try {
    return promotionSchema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

export async function topicExists(client: StreamClient, name: string): Promise<boolean> {
  return (await client.admin.topics()).some((topic) => topic.name === name);
}

function commandOf(record: RecordView): bigint | undefined {
  const text = record.header(headers.input);
  return text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}
