import { errorCodes } from '@tickfold/kafka-protocol';
import type { CommittedOffset } from '@tickfold/log-engine';
import { kafkaErrorOf } from '../engine-errors.ts';

/** A partition's offset as OffsetCommit and TxnOffsetCommit have it. */
interface OfferedOffset {
  index: number;
  committedOffset: bigint;
  committedLeaderEpoch: number;
  committedMetadata: string | null;
}

interface OfferedTopic {
  name: string;
  partitions: readonly OfferedOffset[];
}

interface AnsweredTopic {
  name: string;
  partitions: { index: number; errorCode: number }[];
}

/**
 * Stores the offsets that are not refused, and answers for each. Partitions that are refused do not keep the others from
 * being stored.
 * @param errorOf why an offset is refused; 0: it is not
 */
export async function commitOffsets(
  topics: readonly OfferedTopic[],
  errorOf: (topic: string, index: number, metadata: string) => number,
  store: (offsets: CommittedOffset[]) => Promise<void>,
): Promise<AnsweredTopic[]> {
  const accepted: CommittedOffset[] = [];
  const answers = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ index, committedOffset, committedLeaderEpoch, committedMetadata }) => {
      const metadata = committedMetadata ?? '';
      const errorCode = errorOf(name, index, metadata);
      if (errorCode === errorCodes.NONE) {
        const leaderEpoch = committedLeaderEpoch;
        accepted.push({ topic: name, partition: index, offset: committedOffset, leaderEpoch, metadata });
      }
      return { index, errorCode };
    }),
  }));
  if (accepted.length === 0) return answers;
  try {
    await store(accepted);
    return answers;
  } catch (error) {
    const storeError = kafkaErrorOf(error).errorCode;
    return answers.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index, errorCode }) => ({ index, errorCode: errorCode || storeError })),
    }));
  }
}
