import { defineApi } from '../api.ts';
import { array, boolean, int8, int16, int32, nullableString, string, struct } from '../schema.ts';

const response = struct({
  throttleTimeMs: int32,
  resources: array(struct({ errorCode: int16, errorMessage: nullableString, type: int8, name: string })),
});

/** Replaces all settings of a resource: those that are not named go back to their default. */
export const alterConfigsApi = defineApi({
  name: 'AlterConfigs',
  key: 33,
  versions: [0, 2],
  flexibleSince: 2,
  request: struct({
    resources: array(
      struct({ type: int8, name: string, configs: array(struct({ name: string, value: nullableString })) }),
    ),
    validateOnly: boolean,
  }),
  response,
});

/** What is done to one setting. The last two are for settings that are lists. */
export const configOperations = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

/** Changes single settings of a resource. */
export const incrementalAlterConfigsApi = defineApi({
  name: 'IncrementalAlterConfigs',
  key: 44,
  versions: [0, 1],
  flexibleSince: 1,
  request: struct({
    resources: array(
      struct({
        type: int8,
        name: string,
        configs: array(struct({ name: string, operation: int8, value: nullableString })),
      }),
    ),
    validateOnly: boolean,
  }),
  response,
});
