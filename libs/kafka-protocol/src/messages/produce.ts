import { defineApi } from '../api.ts';
import { array, int16, int32, int64, nullableString, records, since, string, struct } from '../schema.ts';

/**
 * Appends record batches. Versions below 3 are described so that they can be refused with UNSUPPORTED_VERSION: they
 * carry older message formats, and librdkafka drops compression where version 0 is not in the advertised range.
 */
export const produceApi = defineApi({
  name: 'Produce',
  key: 0,
  versions: [0, 12],
  flexibleSince: 9,
  request: struct({
    transactionalId: since(3, nullableString, null),
    /** -1: when durable; 1: when written; 0: no response at all. */
    acks: int16,
    timeoutMs: int32,
    topics: array(
      struct({
        name: string,
        partitions: array(struct({ index: int32, records })),
      }),
    ),
  }),
  response: struct({
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            index: int32,
            errorCode: int16,
            baseOffset: int64,
            /** -1: the records keep the time that the client gave them. */
            logAppendTimeMs: since(2, int64, -1n),
            logStartOffset: since(5, int64, -1n),
            recordErrors: since(8, array(struct({ batchIndex: int32, message: nullableString })), []),
            errorMessage: since(8, nullableString, null),
          }),
        ),
      }),
    ),
    throttleTimeMs: since(1, int32, 0),
  }),
});
