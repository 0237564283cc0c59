import {
  areOrdinary,
  type BatchHeader,
  errorCodes,
  iterateBatches,
  type RecordBatch,
  RecordBatchError,
} from '@tickfold/kafka-protocol';
import type { LogEngine } from '@tickfold/log-engine';
import type { AnnouncedWrites } from '../transactions/announced-writes.ts';

/** Why batches are not taken. */
export interface Refusal {
  errorCode: number;
  message: string;
  /** Which records of the batch are at fault, where single ones are. */
  recordErrors: { batchIndex: number; message: string }[];
}

export interface Offer {
  topic: string;
  index: number;
  batches: Uint8Array;
  transactionalId: string | null;
  /** The client need not say before which partitions it will write to. */
  isUnannounced: boolean;
  /** Of a topic that keeps one record of each key. */
  needsKeys: boolean;
}

/** What Kafka refuses although it is whole, as far as the engine cannot know; the rest is for that to judge. */
export function refusalOf(offer: Offer, announced: AnnouncedWrites): Refusal | undefined {
  if (!offer.needsKeys && areOrdinary(offer.batches)) return undefined;
  try {
    for (const batch of iterateBatches(offer.batches)) {
      const { header } = batch;
      const refusal =
        (header.isControl
          ? refuse(errorCodes.INVALID_RECORD, 'control batches are written by the broker only')
          : undefined) ??
        (header.isTransactional ? transactionRefusal(offer, header, announced) : undefined) ??
        (offer.needsKeys ? keyRefusal(offer, batch) : undefined);
      if (refusal !== undefined) return refusal;
    }
  } catch (error) {
    // What cannot be read is refused by the engine, or needs no look inside.
    if (!(error instanceof RecordBatchError)) throw error;
  }
  return undefined;
}

/** Adds the partition to the transaction that transactional batches belong to. Takes effect before it returns. */
export async function joinTransaction(
  { topic, index, batches, transactionalId }: Offer,
  engine: LogEngine,
  announced: AnnouncedWrites,
): Promise<void> {
  if (transactionalId === null) return;
  const header = firstTransactional(batches);
  if (header === undefined) return;
  const producer = { transactionalId, producerId: header.producerId, epoch: header.producerEpoch };
  await engine.beginTransaction(producer);
  announced.addPartitions(producer, [[topic, index]]);
}

function firstTransactional(batches: Uint8Array): BatchHeader | undefined {
  try {
    for (const { header } of iterateBatches(batches)) if (header.isTransactional) return header;
  } catch (error) {
    // The engine refuses what cannot be read.
    if (!(error instanceof RecordBatchError)) throw error;
  }
  return undefined;
}

function transactionRefusal(
  { topic, index, transactionalId, isUnannounced }: Offer,
  { producerId, producerEpoch: epoch }: BatchHeader,
  announced: AnnouncedWrites,
): Refusal | undefined {
  if (transactionalId === null) {
    const message = 'a transactional batch came in a request without a transactional id';
    return refuse(errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, message);
  }
  if (isUnannounced || announced.allowsPartition(transactionalId, { producerId, epoch }, topic, index))
    return undefined;
  return refuse(
    errorCodes.INVALID_TXN_STATE,
    `${topic}/${index} was not added to the transaction of ${transactionalId}`,
  );
}

/** A record without a key would never be replaced. */
function keyRefusal({ topic }: Offer, batch: RecordBatch): Refusal | undefined {
  const message = `topic ${topic} is compacted: its records need keys`;
  const recordErrors: Refusal['recordErrors'] = [];
  let batchIndex = 0;
  for (const { key } of batch.records()) {
    if (key === null) recordErrors.push({ batchIndex, message });
    batchIndex++;
  }
  return recordErrors.length === 0 ? undefined : { ...refuse(errorCodes.INVALID_RECORD, message), recordErrors };
}

function refuse(errorCode: number, message: string): Refusal {
  return { errorCode, message, recordErrors: [] };
}
