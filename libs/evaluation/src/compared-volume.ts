import type { RecordView, StreamClient, Watermark } from '@tickfold/stream';
import type { VolumeDiff } from './volume-diff.ts';

/** A volume to compare: a live one, a replay, or a snapshot of either. A `VolumeView` of libs/volumes is one. */
export interface ComparedVolume {
  /** As it was asked for: `model-reversion-2`, `model-reversion-2@noon`. */
  ref: string;
  volume: string;
  /** Reads it. */
  client: StreamClient;
}

export interface CompareOptions {
  /** Records read, of about how many. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  /** Called between two turns of work; what it throws ends the comparison. */
  onTurn(): Promise<void>;
}

/** Which records of a topic a side has; none where the topic is not there. */
export async function watermarksOf({ client }: ComparedVolume, topic: string): Promise<Watermark[]> {
  const known = await client.admin.topics();
  return known.some(({ name }) => name === topic) ? client.admin.watermarks(topic) : [];
}

export function recordCount(watermarks: readonly Watermark[]): number {
  return watermarks.reduce((sum, { logStart, high }) => sum + Number(high - logStart), 0);
}

/** What one topic's comparison counts. */
export class TopicCount {
  recordsA = 0;
  recordsB = 0;
  differing = 0;
  readonly topic: string;

  constructor(topic: string) {
    this.topic = topic;
  }

  add(a: RecordView | undefined, b: RecordView | undefined, same: boolean): void {
    if (a !== undefined) this.recordsA++;
    if (b !== undefined) this.recordsB++;
    if (!same) this.differing++;
  }

  counted(): VolumeDiff['topics'][number] {
    const { topic, recordsA, recordsB, differing } = this;
    return { topic, recordsA, recordsB, differing };
  }
}
