import { defineApi } from '../api.ts';
import { array, boolean, int8, int16, int32, nullableArray, nullableString, since, string, struct } from '../schema.ts';

export const resourceTypes = { topic: 2, broker: 4, group: 32 } as const;

/** What a setting's value is, for tools that let somebody edit it. */
export const configTypes = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const;

/** Where a setting's value comes from. */
export const configSources = { topic: 1, dynamicBroker: 2, staticBroker: 4, default: 5, dynamicGroup: 8 } as const;

/** Settings of topics and brokers. */
export const describeConfigsApi = defineApi({
  name: 'DescribeConfigs',
  key: 32,
  versions: [1, 4],
  flexibleSince: 4,
  request: struct({
    resources: array(
      struct({
        type: int8,
        name: string,
        /** null: all settings. */
        keys: nullableArray(string),
      }),
    ),
    includeSynonyms: boolean,
    includeDocumentation: since(3, boolean, false),
  }),
  response: struct({
    throttleTimeMs: int32,
    resources: array(
      struct({
        errorCode: int16,
        errorMessage: nullableString,
        type: int8,
        name: string,
        configs: array(
          struct({
            name: string,
            value: nullableString,
            readOnly: boolean,
            source: int8,
            isSensitive: boolean,
            synonyms: array(struct({ name: string, value: nullableString, source: int8 })),
            configType: since(3, int8, 0),
            documentation: since(3, nullableString, null),
          }),
        ),
      }),
    ),
  }),
});
