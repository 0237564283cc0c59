import { defineApi } from '../api.ts';
import { array, int8, int16, int32, nullableArray, nullableString, string, struct } from '../schema.ts';

/** Which users have a password, and how it is kept. */
export const describeUserScramCredentialsApi = defineApi({
  name: 'DescribeUserScramCredentials',
  key: 50,
  versions: [0, 0],
  flexibleSince: 0,
  request: struct({
    /** null: all. */
    users: nullableArray(struct({ name: string })),
  }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullableString,
    results: array(
      struct({
        user: string,
        errorCode: int16,
        errorMessage: nullableString,
        credentials: array(struct({ mechanism: int8, iterations: int32 })),
      }),
    ),
  }),
});
