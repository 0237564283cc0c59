import {
  apis,
  errorCodes,
  iterateBatches,
  RecordBatchError,
  type RequestOf,
  type ResponseOf,
  setAppendTime,
} from '@tickfold/kafka-protocol';
import type { Durability, LogEngine } from '@tickfold/log-engine';
import { findPartition, kafkaErrorOf } from '../engine-errors.ts';
import { type Route, route } from '../route.ts';
import type { AnnouncedWrites } from '../transactions/announced-writes.ts';
import { joinTransaction, refusalOf } from './produce-admission.ts';

type ProduceRequest = RequestOf<typeof apis.produce>;
type PartitionAnswer = ResponseOf<typeof apis.produce>['topics'][number]['partitions'][number];

/** Record batch v2 came with version 3. */
const FIRST_VERSION_SERVED = 3;
/** From this version on a batch adds its partition to its transaction by itself (KIP-890). */
const UNANNOUNCED_SINCE = 12;

const durabilities = new Map<number, Durability>([
  [-1, 'synced'],
  [0, 'none'],
  [1, 'written'],
]);

interface Terms {
  durability: Durability;
  transactionalId: string | null;
  isUnannounced: boolean;
}

/**
 * Appends. Requests of one connection overlap, so that many share one flush of the disk; they are begun in order, and
 * `append` keeps the order of calls.
 */
export function produceRoute(engine: LogEngine, announced: AnnouncedWrites): Route {
  const appendTo = async (
    topic: string,
    index: number,
    records: readonly Uint8Array[],
    { durability, transactionalId, isUnannounced }: Terms,
  ): Promise<PartitionAnswer> => {
    const { log, errorCode } = findPartition(engine, topic, index);
    if (log === undefined) return refused(index, errorCode);
    const batches = records[0];
    if (batches === undefined) return refused(index, errorCodes.INVALID_RECORD, 'no record batch');
    const settings = engine.topic(topic)?.settings;
    const needsKeys = settings?.['cleanup.policy']?.includes('compact') === true;
    const offer = { topic, index, batches, transactionalId, isUnannounced, needsKeys };
    const refusal = refusalOf(offer, announced);
    if (refusal !== undefined) {
      return { ...refused(index, refusal.errorCode, refusal.message), recordErrors: refusal.recordErrors };
    }
    const logAppendTimeMs = settings?.['message.timestamp.type'] === 'LogAppendTime' ? BigInt(Date.now()) : -1n;
    try {
      if (logAppendTimeMs >= 0n) stamp(batches, logAppendTimeMs);
      // Both at once: to wait in between would let a later request's batches overtake these.
      const joining = isUnannounced ? joinTransaction(offer, engine, announced) : undefined;
      const [appended, joined] = await Promise.allSettled([log.append(batches, durability), joining]);
      // Not before both are through: an append that waits for its turn still needs the request's bytes.
      if (joined.status === 'rejected') throw joined.reason;
      if (appended.status === 'rejected') throw appended.reason;
      const { baseOffset, logStartOffset } = appended.value;
      return { ...refused(index, errorCodes.NONE), baseOffset, logAppendTimeMs, logStartOffset };
    } catch (error) {
      const { errorCode, message } = kafkaErrorOf(error);
      return refused(index, errorCode, message);
    }
  };

  const handle = async (request: ProduceRequest, { version }: { version: number }) => {
    const { transactionalId } = request;
    const isUnannounced = version >= UNANNOUNCED_SINCE;
    const durability = durabilities.get(request.acks);
    const refusal = version < FIRST_VERSION_SERVED ? errorCodes.UNSUPPORTED_VERSION : errorCodes.INVALID_REQUIRED_ACKS;
    const topics = await Promise.all(
      request.topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(({ index, records }) =>
            durability === undefined || version < FIRST_VERSION_SERVED
              ? refused(index, refusal)
              : appendTo(name, index, records, { durability, transactionalId, isUnannounced }),
          ),
        ),
      })),
    );
    return request.acks === 0 ? undefined : { topics, throttleTimeMs: 0 };
  };

  return route(apis.produce, handle, { overlaps: true, letsGoOfFrame: true });
}

/** Batches that arrived damaged, or are none, are left as they are: the engine refuses them. */
function stamp(batches: Uint8Array, appendTimeMs: bigint): void {
  try {
    for (const batch of iterateBatches(batches)) if (batch.crcIsValid()) setAppendTime(batch.bytes, appendTimeMs);
  } catch (error) {
    if (!(error instanceof RecordBatchError)) throw error;
  }
}

function refused(index: number, errorCode: number, errorMessage: string | null = null): PartitionAnswer {
  return {
    index,
    errorCode,
    baseOffset: -1n,
    logAppendTimeMs: -1n,
    logStartOffset: -1n,
    recordErrors: [],
    errorMessage,
  };
}
