import { join } from 'node:path';
import { lastLines, runProgram } from '@tickfold/testkit/programs';
import type { Subject, Verdict } from './judge.ts';

/** Where the judges' own programs in other languages lie. */
export const sources = join(import.meta.dirname, '../../test/judges/programs');

const TIMEOUT_MS = 5 * 60_000;

/**
 * Runs a program that prints a line for each of its cases: `passed`, tab, title; or `failed`, tab, title, tab, why.
 * It prints `begun`, tab, title before each, so that a case in which it ends or hangs is known.
 */
export async function readReport(
  name: string,
  command: string,
  args: readonly string[],
  subject: Subject,
): Promise<Verdict[]> {
  const log = join(subject.folder, `${name}.log`);
  const { stdout, output, timedOut } = await runProgram(command, args, { timeoutMs: TIMEOUT_MS, log });
  const verdicts = new Map<string, Verdict>();
  const never = timedOut ? `no end in ${TIMEOUT_MS / 1000} s` : `the program ended: ${lastLines(output, 1)}`;
  for (const line of stdout.split('\n')) {
    const [word, title = '', why] = line.split('\t');
    if (word === 'begun') verdicts.set(title, { case: title, outcome: 'failed', why: never });
    else if (word === 'passed') verdicts.set(title, { case: title, outcome: 'passed' });
    else if (word === 'failed') verdicts.set(title, { case: title, outcome: 'failed', why: why ?? '' });
  }
  if (verdicts.size === 0) verdicts.set('begins', { case: 'begins', outcome: 'failed', why: never });
  return [...verdicts.values()];
}
