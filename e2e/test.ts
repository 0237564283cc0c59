import { test as base } from '@playwright/test';
import { started } from './tickfold.ts';

const LAST_LINES = 60;

/** `test` of Playwright; where a test fails, the last lines of what each running Tickfold printed are shown, too. */
export const test = base.extend<{ shownOutput: undefined }>({
  shownOutput: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads which fixtures it asks for, and insists on a pattern
    async ({}, use, testInfo) => {
      await use(undefined);
      if (testInfo.status === testInfo.expectedStatus) return;
      for (const running of started) {
        const lines = running.output().trimEnd().split('\n').slice(-LAST_LINES);
        process.stdout.write(
          `Tickfold at ${running.url}, exit code ${running.process.exitCode}:\n${lines.join('\n')}\n`,
        );
      }
    },
    { auto: true },
  ],
});
