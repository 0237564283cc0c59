import { errorCodes } from '@tickfold/kafka-protocol';
import { expect, test } from 'vitest';
import { Accounts } from './accounts.ts';

const SHA_256 = 1;
const given = { name: 'ada', mechanism: SHA_256, iterations: 4_096 };

test('a credential is there from its upsertion to its deletion', () => {
  const accounts = new Accounts();
  expect(accounts.alter('ada', [], [given])).toBeUndefined();
  expect(accounts.names()).toEqual(['ada']);
  expect(accounts.credentials('ada')).toEqual([{ mechanism: SHA_256, iterations: 4_096 }]);
  expect(accounts.alter('ada', [{ name: 'ada', mechanism: SHA_256 }], [])).toBeUndefined();
  expect(accounts.names()).toEqual([]);
});

test.each([
  ['a deletion of what is not there', 'ada', [given], [], errorCodes.RESOURCE_NOT_FOUND],
  ['a mechanism that does not exist', 'ada', [], [{ ...given, mechanism: 3 }], errorCodes.UNSUPPORTED_SASL_MECHANISM],
  ['too few iterations', 'ada', [], [{ ...given, iterations: 4_095 }], errorCodes.UNACCEPTABLE_CREDENTIAL],
  ['a user without a name', '', [], [{ ...given, name: '' }], errorCodes.UNACCEPTABLE_CREDENTIAL],
  ['two changes of one credential', 'ada', [given], [given], errorCodes.DUPLICATE_RESOURCE],
])('%s is refused, and nothing changes', (_what, user, deletions, upsertions, errorCode) => {
  const accounts = new Accounts();
  expect(accounts.alter(user, deletions, upsertions)).toMatchObject({ errorCode });
  expect(accounts.names()).toEqual([]);
});

test('so many users are remembered, and no more', () => {
  const accounts = new Accounts();
  for (let i = 0; i < 1_000; i++) accounts.alter(`user-${i}`, [], [given]);
  expect(accounts.alter('one-more', [], [given])).toMatchObject({ errorCode: errorCodes.UNACCEPTABLE_CREDENTIAL });
  expect(accounts.alter('user-7', [], [{ ...given, iterations: 8_192 }])).toBeUndefined();
});
