import { defineApi } from '../api.ts';
import { array, int16, int32, int64, nullableString, string, struct } from '../schema.ts';

/** Producers with an id, as partitions know them, and where their open transactions begin. */
export const describeProducersApi = defineApi({
  name: 'DescribeProducers',
  key: 61,
  versions: [0, 0],
  flexibleSince: 0,
  request: struct({ topics: array(struct({ name: string, partitions: array(int32) })) }),
  response: struct({
    throttleTimeMs: int32,
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            index: int32,
            errorCode: int16,
            errorMessage: nullableString,
            activeProducers: array(
              struct({
                producerId: int64,
                /** Wider than elsewhere. */
                producerEpoch: int32,
                lastSequence: int32,
                lastTimestamp: int64,
                coordinatorEpoch: int32,
                /** -1: none is open. */
                currentTxnStartOffset: int64,
              }),
            ),
          }),
        ),
      }),
    ),
  }),
});
