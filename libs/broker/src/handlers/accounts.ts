import { apis, errorCodes } from '@tickfold/kafka-protocol';
import { Accounts } from '../accounts.ts';
import { type Route, route } from '../route.ts';

/** Nobody is limited, so the list of quotas is empty. Users have what they were given since the start. */
export function accountRoutes(): Route[] {
  const accounts = new Accounts();
  return [
    route(apis.describeClientQuotas, () => ({
      throttleTimeMs: 0,
      errorCode: errorCodes.NONE,
      errorMessage: null,
      entries: [],
    })),
    route(apis.describeUserScramCredentials, ({ users }) => ({
      throttleTimeMs: 0,
      errorCode: errorCodes.NONE,
      errorMessage: null,
      results: (users?.map(({ name }) => name) ?? accounts.names()).map((user) => {
        const credentials = accounts.credentials(user);
        const isThere = credentials.length > 0;
        return {
          user,
          errorCode: isThere ? errorCodes.NONE : errorCodes.RESOURCE_NOT_FOUND,
          errorMessage: isThere ? null : `there is no user '${user}'`,
          credentials,
        };
      }),
    })),
    route(apis.alterUserScramCredentials, ({ deletions, upsertions }) => {
      const users = new Set([...deletions, ...upsertions].map(({ name }) => name));
      const results = [...users].map((user) => {
        const isTheirs = ({ name }: { name: string }): boolean => name === user;
        const error = accounts.alter(user, deletions.filter(isTheirs), upsertions.filter(isTheirs));
        return { user, errorCode: error?.errorCode ?? errorCodes.NONE, errorMessage: error?.message ?? null };
      });
      return { throttleTimeMs: 0, results };
    }),
  ];
}
