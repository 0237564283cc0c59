import { decisionSchema, type EventSchema, headers, type Run, runSchema, volumeTopics } from '@tickfold/market';
import { models, type ParameterValues, parametersVersion } from '@tickfold/models';
import type { RecordView } from '@tickfold/stream';
import { type ComparedVolume, watermarksOf } from './compared-volume.ts';
import type { DiffSide } from './volume-diff.ts';

/** What wrote a volume last, and from what; undefined where nobody has said so. */
export async function lastRun(side: ComparedVolume): Promise<Run | undefined> {
  const { runs } = volumeTopics(side.volume);
  if ((await watermarksOf(side, runs)).length === 0) return undefined;
  const record = await side.client.lastRecord(runs, 0);
  return record === undefined ? undefined : decodeWith(runSchema, record);
}

export async function describeSide(side: ComparedVolume, run: Run | undefined): Promise<DiffSide> {
  return {
    ref: side.ref,
    volume: side.volume,
    model: run?.code ?? null,
    parametersVersion: (run && versionOf(run)) ?? (await versionOfDecisions(side)),
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
    if (record !== undefined) return decodeWith(decisionSchema, record).parametersVersion;
  }
  return null;
}

function decodeWith<T>(schema: EventSchema<T>, record: RecordView): T {
  return schema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
}
