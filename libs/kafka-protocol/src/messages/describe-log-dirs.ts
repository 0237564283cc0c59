import { defineApi } from '../api.ts';
import { array, boolean, int16, int32, int64, nullableArray, since, string, struct } from '../schema.ts';

/** How much room partitions take, by the folder that they lie in. */
export const describeLogDirsApi = defineApi({
  name: 'DescribeLogDirs',
  key: 35,
  versions: [1, 4],
  flexibleSince: 2,
  request: struct({
    /** null: all. */
    topics: nullableArray(struct({ name: string, partitions: array(int32) })),
  }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: since(3, int16, 0),
    results: array(
      struct({
        errorCode: int16,
        logDir: string,
        topics: array(
          struct({
            name: string,
            partitions: array(struct({ index: int32, sizeBytes: int64, offsetLag: int64, isFuture: boolean })),
          }),
        ),
        /** Of the file system; -1: unknown. */
        totalBytes: since(4, int64, -1n),
        usableBytes: since(4, int64, -1n),
      }),
    ),
  }),
});
