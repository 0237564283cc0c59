import { type Model, modelOfVolume } from '@tickfold/market';
import { models } from '@tickfold/models';
import type { Outcome } from '../outcome.ts';
import { describeParameters } from '../pins.ts';
import { formatBytes } from '../quantities.ts';
import type { System, VolumeEntry } from '../system.ts';
import { table } from '../table.ts';

interface ListedVolume {
  name: string;
  sizeBytes: number;
  topics: number;
  /** Why it takes no more records; null while it does. */
  stopped: string | null;
  /** Which code wrote it last; null where its writer does not say so. */
  writer: string | null;
  /** `defaults`, or what differs from them. */
  parametersVersion: string | null;
  /** What was read: a topic, or the snapshot that was replayed. */
  input: string | null;
}

export async function listVolumes(system: System): Promise<Outcome> {
  const volumes = (await system.volumes()).map(describeVolume);
  const text = table(volumes, [
    { title: 'Volume', value: ({ name }) => name },
    { title: 'Size', value: ({ sizeBytes }) => formatBytes(sizeBytes), align: 'right' },
    { title: 'Topics', value: ({ topics }) => String(topics), align: 'right' },
    { title: 'Written by', value: ({ writer }) => writer ?? '' },
    { title: 'Parameters', value: (volume) => volume.parametersVersion ?? '' },
    { title: 'From', value: ({ input }) => input ?? '' },
    { title: 'State', value: ({ stopped }) => (stopped === null ? 'ok' : `stopped: ${stopped}`) },
  ]);
  return {
    text: volumes.length === 0 ? 'There is no volume yet.' : text,
    json: volumes,
    exitStatus: 0,
    next: nextStep(volumes),
  };
}

function describeVolume({ name, sizeBytes, topics, stopped, run }: VolumeEntry): ListedVolume {
  return {
    ...{ name, sizeBytes, topics, stopped },
    writer: run?.code ?? null,
    parametersVersion: run !== null && models.has(run.code) ? describeParameters(run) : null,
    input: run?.input ?? null,
  };
}

/** A replay beside what its version made live; else what two versions made of the same ticks. */
function nextStep(volumes: readonly ListedVolume[]): string {
  const live = volumes.filter(({ name }) => modelOfVolume(name) !== undefined).map(({ name }) => name);
  const replay = volumes.find(({ writer, name }) => isModel(writer) && modelOfVolume(name) === undefined);
  const beside = live.find((name) => modelOfVolume(name) === replay?.writer);
  if (replay !== undefined && beside !== undefined) return `volume diff ${beside} ${replay.name}`;
  const [a, b] = live;
  return a !== undefined && b !== undefined ? `volume diff ${a} ${b}` : 'snapshot create market@open';
}

function isModel(writer: Model | null): boolean {
  return writer !== null && models.has(writer);
}
