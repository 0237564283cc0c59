import { UsageError } from '@tickfold/app-runtime';
import { findModel, type Model, ModelError, parseParameters } from '@tickfold/models';

/**
 * The model that this process runs: `MODEL`, with `MODEL_PARAMS` over its defaults.
 *
 * @throws UsageError naming the value that is wrong and what to choose from
 */
export function modelFromEnv(env: Record<string, string | undefined>): Model {
  try {
    return findModel(env.MODEL ?? '').create(parseParameters(env.MODEL_PARAMS ?? ''));
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const variable = error.code === 'unknown-model' ? 'MODEL' : 'MODEL_PARAMS';
    throw new UsageError(`${variable}: ${error.message}`, error.mend);
  }
}
