import { randomUUID } from 'node:crypto';
import {
  headers,
  type Promotion,
  type PromotionCommand,
  type PromotionCommandAction,
  promotionCommandSchema,
  topics,
} from '@tickfold/market';
import { isRetriable, type StreamClient } from '@tickfold/stream';
import { decodePromotion, topicExists } from './audit.ts';
import { promotionErrors } from './errors.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
/** An answer given at the last moment needs some time to come back. */
const ANSWER_TRAVEL_MS = 1_000;

export interface PromotionRequest {
  action: PromotionCommandAction;
  /** The version to make champion; left out or null for a rollback. */
  model?: string | null;
  /** Who asks, and from where: `ana (command line)`. */
  by: string;
  /** How long to wait for the answer. Default 10,000. The wish expires with it: it is not carried out later. */
  timeoutMs?: number;
  /** Ends the waiting early. The wish may still be carried out then. */
  signal?: AbortSignal;
}

/**
 * Asks `apps/decisions` for another champion and waits for its answer. A refusal is an answer too: `action` is
 * `refused`, and `reason` says why.
 *
 * @throws PromotionError when nobody answers
 * @throws StreamError when the broker does not take the command
 */
export async function requestPromotion(client: StreamClient, request: PromotionRequest): Promise<Promotion> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = request;
  const wish = request.action === 'promote' ? `promote ${request.model}` : 'roll back';
  if (!(await topicExists(client, topics.promotions))) throw promotionErrors.nothingDecidedYet(wish);
  const [audit] = await client.admin.watermarks(topics.promotions);
  const stop = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]);
  const command = commandFor(request, timeoutMs);
  try {
    await write(client, command);
    const answer = await answerTo(client, command.id, audit!.high, stop);
    if (answer !== undefined) return answer;
  } catch (error) {
    if (isRetriable(error)) throw promotionErrors.disconnected(wish, error);
    throw error;
  }
  throw signal?.aborted ? promotionErrors.abandoned(wish) : promotionErrors.unanswered(wish, timeoutMs);
}

function commandFor({ action, model, by }: PromotionRequest, timeoutMs: number): PromotionCommand {
  const atMs = Date.now();
  return {
    id: randomUUID(),
    action,
    model: model ?? null,
    by,
    atMs,
    expiresAtMs: atMs + Math.round(timeoutMs - Math.min(ANSWER_TRAVEL_MS, timeoutMs / 2)),
  };
}

async function write(client: StreamClient, command: PromotionCommand): Promise<void> {
  await client.admin.ensureTopics([{ name: topics.promotionCommands, partitionCount: 1 }]);
  const producer = client.producer();
  producer.send({
    topic: topics.promotionCommands,
    partition: 0,
    key: null,
    value: promotionCommandSchema.encode(command),
    timestampMs: command.atMs,
    headers: { [headers.schema]: promotionCommandSchema.id },
  });
  await producer.close();
}

/** Undefined when the signal came first. */
async function answerTo(
  client: StreamClient,
  commandId: string,
  fromOffset: bigint,
  stop: AbortSignal,
): Promise<Promotion | undefined> {
  const consumer = client.consumer({
    assignments: [{ topic: topics.promotions, partition: 0, offset: fromOffset }],
  });
  const close = () => consumer.close();
  stop.addEventListener('abort', close);
  try {
    if (stop.aborted) return undefined;
    for await (const chunk of consumer) {
      for (const record of chunk.records()) {
        const promotion = decodePromotion(record);
        if (promotion?.commandId === commandId) return promotion;
      }
    }
    return undefined;
  } finally {
    stop.removeEventListener('abort', close);
    await consumer.close();
  }
}
