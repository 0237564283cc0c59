import { describeError, printError } from '@tickfold/app-runtime';
import { buildHistory, historyPath, historySourceFor } from '@tickfold/history';
import { describeOutcome } from './describe-outcome.ts';
import { showProgress } from './progress.ts';
import { readSettings } from './settings.ts';

/** Builds the history of a feed, once; ends at once where it is there already. */
async function main(): Promise<void> {
  const { source, options, dataDir } = readSettings(process.env);
  const progress = showProgress(process.stdout);
  try {
    const outcome = await buildHistory({
      path: historyPath(dataDir),
      source: await historySourceFor(source, options),
      onProgress: progress.update,
    });
    progress.stop();
    process.stdout.write(`${describeOutcome(outcome)}\n`);
  } finally {
    progress.stop();
  }
}

main().catch((error) => {
  printError('history', error);
  process.exitCode = describeError(error).exitStatus;
});
