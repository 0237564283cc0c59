import { decisionSchema, type Run, runSchema, volumeTopics } from '@tickfold/market';
import { models, type ParameterValues, parametersVersion } from '@tickfold/models';
import { type ComparedVolume, watermarksOf } from './compared-volume.ts';
import { decodeOutput } from './decode-output.ts';
import { EvaluationError } from './errors.ts';
import type { DiffSide } from './volume-diff.ts';

/**
 * What wrote a volume last, and from what; undefined where nobody has said so.
 * @throws EvaluationError `unreadable-output`
 */
export async function lastRun(side: ComparedVolume): Promise<Run | undefined> {
  const { runs } = volumeTopics(side.volume);
  if ((await watermarksOf(side, runs)).length === 0) return undefined;
  const record = await side.client.lastRecord(runs, 0);
  return record === undefined ? undefined : decodeOutput(runSchema, record);
}

/** @throws EvaluationError `unreadable-output` */
export async function describeModelSide(side: ComparedVolume, run: Run | undefined): Promise<DiffSide> {
  const described = describe(side, run);
  return { ...described, parametersVersion: described.parametersVersion ?? (await versionOfDecisions(side)) };
}

/** Of a volume that no model wrote: its `runs` may be anybody's topic, and then says nothing about it. */
export async function describeSide(side: ComparedVolume): Promise<DiffSide> {
  try {
    return describe(side, await lastRun(side));
  } catch (error) {
    if (error instanceof EvaluationError && error.code === 'unreadable-output') return describe(side, undefined);
    throw error;
  }
}

function describe({ ref, volume }: ComparedVolume, run: Run | undefined): DiffSide {
  return {
    ref,
    volume,
    model: run?.code ?? null,
    parametersVersion: (run && versionOf(run)) ?? null,
    input: run?.input ?? null,
  };
}

/** Undefined for a version that this build does not know. */
function versionOf({ code, parameters }: Run): string | undefined {
  const definition = models.get(code);
  if (definition === undefined) return undefined;
  return parametersVersion(definition.parameters, JSON.parse(parameters) as ParameterValues);
}

async function versionOfDecisions(side: ComparedVolume): Promise<string | null> {
  const { decisions } = volumeTopics(side.volume);
  for (const { partition } of await watermarksOf(side, decisions)) {
    const record = await side.client.lastRecord(decisions, partition);
    if (record !== undefined) return decodeOutput(decisionSchema, record).parametersVersion;
  }
  return null;
}
