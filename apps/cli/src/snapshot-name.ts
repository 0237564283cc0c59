import { UsageError } from '@tickfold/app-runtime';

/** As the log engine has it. */
const SNAPSHOT = /^[a-z0-9][a-z0-9_-]{0,99}@[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** `market@open`, as it was typed. @throws UsageError when it is no name of a snapshot */
export function checkedSnapshotName(name: string): string {
  if (SNAPSHOT.test(name)) return name;
  throw new UsageError(
    `${JSON.stringify(name)} is no snapshot's name.`,
    'Write VOLUME@NAME, NAME with A-Z a-z 0-9 _ -, beginning with a letter or digit, at most 64: market@open.',
  );
}
