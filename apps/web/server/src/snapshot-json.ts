import type { MarketPins } from '@tickfold/evaluation';
import type { SnapshotInfo } from '@tickfold/stream';
import type { NamedValue, Snapshot } from './contract.ts';
import { parametersText } from './parameters-text.ts';

type Described = Pick<SnapshotInfo, 'name' | 'id' | 'createdAtMs' | 'sizeBytes' | 'topics' | 'pins'>;

export function snapshotJson({ name, id, createdAtMs, sizeBytes, topics, pins }: Described): Snapshot {
  const records = topics.map(({ name: topic, partitions }) => [topic, countOf(partitions)] as const);
  return { name, id, createdAtMs, sizeBytes, records: Object.fromEntries(records), pins: pinValues(pins) };
}

function countOf(partitions: SnapshotInfo['topics'][number]['partitions']): number {
  return partitions.reduce((sum, { start, end }) => sum + Number(BigInt(end) - BigInt(start)), 0);
}

const UNKNOWN = 'not known';

/** What a snapshot pins, in words. A snapshot of another volume, or of another build, may not have all of it. */
function pinValues(pins: SnapshotInfo['pins']): NamedValue[] {
  const { source, enrichment, models = {}, tickfoldVersion, nodeVersion } = pins as Partial<MarketPins>;
  return [
    { name: 'source', label: 'Ticks', value: source?.description ?? UNKNOWN },
    { name: 'enrichment', label: 'Features', value: enrichment?.code ?? UNKNOWN },
    { name: 'history', label: 'History', value: enrichment ? (enrichment.history ?? 'none') : UNKNOWN },
    ...Object.entries(models).map(([model, run]) => ({
      name: `models.${model}`,
      label: `Parameters of ${model}`,
      value: parametersText(run) ?? run.parameters,
    })),
    { name: 'tickfoldVersion', label: 'Tickfold', value: tickfoldVersion ?? UNKNOWN },
    { name: 'nodeVersion', label: 'Node.js', value: nodeVersion ?? UNKNOWN },
  ];
}
