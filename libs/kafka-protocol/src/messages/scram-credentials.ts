import { defineApi } from '../api.ts';
import { array, bytes, int8, int16, int32, nullableArray, nullableString, string, struct } from '../schema.ts';

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

/** Gives users passwords, and takes them away. */
export const alterUserScramCredentialsApi = defineApi({
  name: 'AlterUserScramCredentials',
  key: 51,
  versions: [0, 0],
  flexibleSince: 0,
  // librdkafka ends it with the empty tagged fields twice.
  requestMayTrail: true,
  request: struct({
    deletions: array(struct({ name: string, mechanism: int8 })),
    upsertions: array(struct({ name: string, mechanism: int8, iterations: int32, salt: bytes, saltedPassword: bytes })),
  }),
  response: struct({
    throttleTimeMs: int32,
    results: array(struct({ user: string, errorCode: int16, errorMessage: nullableString })),
  }),
});
