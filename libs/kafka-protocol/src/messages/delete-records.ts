import { defineApi } from '../api.ts';
import { array, int16, int32, int64, string, struct } from '../schema.ts';

/** Offset of a request that stands for the high watermark: everything that is readable goes. */
export const HIGH_WATERMARK_OFFSET = -1n;

/** Removes the records of partitions before an offset. */
export const deleteRecordsApi = defineApi({
  name: 'DeleteRecords',
  key: 21,
  versions: [0, 2],
  flexibleSince: 2,
  request: struct({
    topics: array(struct({ name: string, partitions: array(struct({ index: int32, offset: int64 })) })),
    timeoutMs: int32,
  }),
  response: struct({
    throttleTimeMs: int32,
    topics: array(
      struct({
        name: string,
        /** First offset that is there now; -1 with an error. */
        partitions: array(struct({ index: int32, lowWatermark: int64, errorCode: int16 })),
      }),
    ),
  }),
});
