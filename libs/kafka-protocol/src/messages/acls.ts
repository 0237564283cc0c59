import { defineApi } from '../api.ts';
import { array, int8, int16, int32, nullableString, string, struct } from '../schema.ts';

/** Which rules are meant: null and the numbers for "any" leave a field open. */
const filter = {
  resourceType: int8,
  resourceName: nullableString,
  patternType: int8,
  principal: nullableString,
  host: nullableString,
  operation: int8,
  permissionType: int8,
};

const resource = { resourceType: int8, resourceName: string, patternType: int8 };
const rule = { principal: string, host: string, operation: int8, permissionType: int8 };
const common = { versions: [1, 3], flexibleSince: 2 } as const;

/** Rules of who may do what. */
export const describeAclsApi = defineApi({
  name: 'DescribeAcls',
  key: 29,
  ...common,
  request: struct(filter),
  response: struct({
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullableString,
    resources: array(struct({ ...resource, acls: array(struct(rule)) })),
  }),
});

export const createAclsApi = defineApi({
  name: 'CreateAcls',
  key: 30,
  ...common,
  request: struct({ creations: array(struct({ ...resource, ...rule })) }),
  response: struct({
    throttleTimeMs: int32,
    results: array(struct({ errorCode: int16, errorMessage: nullableString })),
  }),
});

export const deleteAclsApi = defineApi({
  name: 'DeleteAcls',
  key: 31,
  ...common,
  request: struct({ filters: array(struct(filter)) }),
  response: struct({
    throttleTimeMs: int32,
    filterResults: array(
      struct({
        errorCode: int16,
        errorMessage: nullableString,
        matchingAcls: array(struct({ errorCode: int16, errorMessage: nullableString, ...resource, ...rule })),
      }),
    ),
  }),
});
