/**
 * What record batches say about their producer. Most batches name none, so that is seen first, by one look at each
 * header and without an object.
 */
import {
  batchBaseSequence,
  batchHasProducer,
  batchIsControl,
  batchIsTransactional,
  batchLastOffsetDelta,
  batchProducerEpoch,
  batchProducerId,
  batchSizeBytes,
} from './batch-header.ts';
import { EngineError } from './errors.ts';

/** Sequences run from 0 to 2^31 - 1, then from 0 again. */
const LAST_SEQUENCE = 0x7fffffff;
/** Before a producer's first batch: what follows on it is 0. */
export const NO_SEQUENCE = -1;

/** A batch of an idempotent producer, as its header gives it. */
export interface ProducerBatch {
  producerId: number;
  epoch: number;
  firstSequence: number;
  lastSequence: number;
  isTransactional: boolean;
}

/** The sequence so many records on. */
export function sequenceAfter(sequence: number, recordCount: number): number {
  return (sequence + recordCount) & LAST_SEQUENCE;
}

/**
 * True when one of the batches, which are whole and lie back to back, has a producer id.
 * @throws EngineError `batch-corrupt`: markers are the engine's own, and a transaction needs its producer's id
 */
export function nameProducers(bytes: Buffer): boolean {
  let doName = false;
  for (let at = 0; at < bytes.length; at += batchSizeBytes(bytes, at)) {
    if (batchIsControl(bytes, at)) throw new EngineError('batch-corrupt', `the batch at byte ${at} is a control batch`);
    if (batchHasProducer(bytes, at)) doName = true;
    else if (batchIsTransactional(bytes, at)) {
      throw new EngineError('batch-corrupt', `the batch at byte ${at} is transactional but has no producer id`);
    }
  }
  return doName;
}

/**
 * What the batch at `at` says of its producer, whose id it has.
 * @throws EngineError `batch-corrupt`
 */
export function producerBatchAt(bytes: Buffer, at: number): ProducerBatch {
  const producerId = batchProducerId(bytes, at);
  const epoch = batchProducerEpoch(bytes, at);
  const firstSequence = batchBaseSequence(bytes, at);
  if (producerId >= Number.MAX_SAFE_INTEGER) {
    throw new EngineError('batch-corrupt', `the batch at byte ${at} has a producer id above 2^53 - 2`);
  }
  if (epoch < 0 || firstSequence < 0) {
    throw new EngineError(
      'batch-corrupt',
      `the batch at byte ${at} has producer id ${producerId}, but ${epoch} as its epoch and ${firstSequence} as its sequence`,
    );
  }
  const lastSequence = sequenceAfter(firstSequence, batchLastOffsetDelta(bytes, at));
  return { producerId, epoch, firstSequence, lastSequence, isTransactional: batchIsTransactional(bytes, at) };
}
