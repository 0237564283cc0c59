import { iterateBatches } from '@tickfold/kafka-protocol';
import type { LogReader, PartitionReader } from '@tickfold/log-engine';
import type { SnapshotContent } from './model.ts';
import type { FoundLog, FoundRecord } from './partition-model.ts';
import { mustHold } from './violation.ts';

/** Records of these batches from `offset` on, each batch whole; `next` is the offset behind them. */
export function recordsOf(
  name: string,
  batches: readonly Uint8Array[],
  offset: number,
  isCompacted: boolean,
): { records: FoundRecord[]; next: number } {
  const records: FoundRecord[] = [];
  let next = offset;
  for (const bytes of batches) {
    for (const batch of iterateBatches(bytes)) {
      const { baseOffset, lastOffset } = batch.header;
      mustHold(batch.crcIsValid(), 'diverged', () => `${name}: the batch at ${baseOffset} has a wrong CRC`);
      for (const record of batch.records()) {
        const found = Number(record.offset);
        if (found < next) continue;
        mustHold(found === next || isCompacted, 'lost', () => `${name}: after ${next - 1} comes ${found}`);
        records.push({ offset: found, value: record.value?.toString() ?? '' });
        next = found + 1;
      }
      next = Number(lastOffset) + 1;
    }
  }
  return { records, next };
}

/** Everything that readers see of a log. */
export async function readWholeLog(name: string, log: PartitionReader, isCompacted: boolean): Promise<FoundLog> {
  const start = Number(log.logStartOffset);
  const records: FoundRecord[] = [];
  let next = start;
  for (;;) {
    const { batches, highWatermark } = await log.read(BigInt(next), 4000);
    const found = recordsOf(name, batches, next, isCompacted);
    records.push(...found.records);
    next = found.next;
    if (batches.length > 0 && next < Number(highWatermark)) continue;
    mustHold(
      next >= Number(highWatermark) || isCompacted,
      'lost',
      () => `${name}: nothing at ${next} of ${highWatermark}`,
    );
    return { start, end: Number(highWatermark), records };
  }
}

export function offsetsOf(reader: LogReader, group: string): Map<string, number> {
  return new Map(
    reader.committedOffsets(group).map(({ topic, partition, offset }) => [`${topic}/${partition}`, Number(offset)]),
  );
}

/** Everything that a snapshot holds. */
export async function contentOf(reader: LogReader): Promise<SnapshotContent> {
  const content: SnapshotContent = { logs: new Map(), offsets: new Map() };
  for (const { name, partitionCount, settings } of reader.topics()) {
    const isCompacted = settings['cleanup.policy']?.includes('compact') ?? false;
    for (let i = 0; i < partitionCount; i++) {
      const place = `${name}/${i}`;
      content.logs.set(place, await readWholeLog(place, reader.partition(name, i)!, isCompacted));
    }
  }
  for (const group of reader.groupsWithOffsets()) {
    for (const [place, offset] of offsetsOf(reader, group)) content.offsets.set(`${group} ${place}`, offset);
  }
  return content;
}
