import { lastRunOfVolume } from '@tickfold/evaluation';
import { modelOfVolume, type Run } from '@tickfold/market';
import type { StreamClient } from '@tickfold/stream';
import type { Volume } from './contract.ts';
import { parametersText } from './parameters-text.ts';

/** Apps that write what a model decides; `market` has runs too. */
const MODEL_WRITERS: ReadonlySet<string> = new Set(['analytics', 'replay']);

/**
 * Every volume, with who wrote it last.
 * @param liveModels versions that run
 * @throws StreamError
 */
export async function listVolumes(client: StreamClient, liveModels: readonly string[]): Promise<Volume[]> {
  const [volumes, topics] = await Promise.all([client.volumes.list(), client.admin.topics()]);
  const present = new Set(topics.map(({ name }) => name));
  return Promise.all(
    volumes.map(async ({ name, sizeBytes }) => {
      const run = await lastRunOfVolume(client, name, present);
      return { name, sizeBytes, ...writerOf(name, run, liveModels) };
    }),
  );
}

function writerOf(
  name: string,
  run: Run | undefined,
  liveModels: readonly string[],
): Omit<Volume, 'name' | 'sizeBytes'> {
  const liveModel = modelOfVolume(name);
  const modelRun = run && MODEL_WRITERS.has(run.app) ? run : undefined;
  return {
    model: modelRun?.code ?? liveModel ?? null,
    live: liveModel !== undefined && liveModels.includes(liveModel),
    input: modelRun?.app === 'replay' ? modelRun.input : null,
    parametersVersion: modelRun ? parametersText(modelRun) : null,
  };
}
