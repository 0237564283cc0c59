import { defineApi } from '../api.ts';
import {
  array,
  boolean,
  float64,
  int8,
  int16,
  int32,
  nullableArray,
  nullableString,
  string,
  struct,
} from '../schema.ts';

/** Limits of single users and clients. */
export const describeClientQuotasApi = defineApi({
  name: 'DescribeClientQuotas',
  key: 48,
  versions: [0, 1],
  flexibleSince: 1,
  request: struct({
    components: array(struct({ entityType: string, matchType: int8, match: nullableString })),
    strict: boolean,
  }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullableString,
    entries: nullableArray(
      struct({
        entity: array(struct({ entityType: string, entityName: nullableString })),
        values: array(struct({ key: string, value: float64 })),
      }),
    ),
  }),
});
