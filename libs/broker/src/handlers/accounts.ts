import { apis, errorCodes } from '@tickfold/kafka-protocol';
import { Accounts } from '../accounts.ts';
import { type KeptSettings, withEntry } from '../configs/kept-settings.ts';
import { type Route, route } from '../route.ts';

/** Nobody is limited, so the list of quotas is empty. Users have what they were given. */
export function accountRoutes(kept: KeptSettings): Route[] {
  const accounts = new Accounts(kept.current.users);
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
    route(apis.alterUserScramCredentials, async ({ deletions, upsertions }) => {
      const users = new Set([...deletions, ...upsertions].map(({ name }) => name));
      const results = [...users].map((user) => {
        const isTheirs = ({ name }: { name: string }): boolean => name === user;
        const error = accounts.alter(user, deletions.filter(isTheirs), upsertions.filter(isTheirs));
        return { user, errorCode: error?.errorCode ?? errorCodes.NONE, errorMessage: error?.message ?? null };
      });
      const changed = results.filter(({ errorCode }) => errorCode === errorCodes.NONE).map(({ user }) => user);
      if (changed.length > 0) {
        await kept.change((now) => ({
          users: changed.reduce<typeof now.users>(
            (all, user) => withEntry(all, user, accounts.credentials(user)),
            now.users,
          ),
        }));
      }
      return { throttleTimeMs: 0, results };
    }),
  ];
}
