import { iterateBatches } from '@tickfold/kafka-protocol';
import type { LogReader, PartitionReader } from '@tickfold/log-engine';
import type { SnapshotContent } from './model.ts';
import type { FoundRecord } from './partition-model.ts';
import { mustHold, Violation } from './violation.ts';

/** Records of these batches from `offset` on, each batch whole and following on the one before. */
export function recordsOf(name: string, batches: readonly Uint8Array[], offset: number): FoundRecord[] {
  const records: FoundRecord[] = [];
  let next = offset;
  for (const bytes of batches) {
    for (const batch of iterateBatches(bytes)) {
      mustHold(
        batch.crcIsValid(),
        'diverged',
        () => `${name}: the batch at ${batch.header.baseOffset} has a wrong CRC`,
      );
      for (const record of batch.records()) {
        const found = Number(record.offset);
        if (found < next) continue;
        mustHold(found === next, 'lost', () => `${name}: after ${next - 1} comes ${found}`);
        records.push({ offset: found, value: record.value?.toString() ?? '' });
        next++;
      }
    }
  }
  return records;
}

/** Everything that readers see of a log. */
export async function readWholeLog(
  name: string,
  log: PartitionReader,
): Promise<{ start: number; records: FoundRecord[] }> {
  const start = Number(log.logStartOffset);
  const records: FoundRecord[] = [];
  for (;;) {
    const next = start + records.length;
    const { batches, highWatermark } = await log.read(BigInt(next), 4000);
    const found = recordsOf(name, batches, next);
    records.push(...found);
    if (next + found.length >= Number(highWatermark)) return { start, records };
    if (found.length === 0) throw new Violation('lost', `${name}: nothing to read at ${next}, below ${highWatermark}`);
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
  for (const { name, partitionCount } of reader.topics()) {
    for (let i = 0; i < partitionCount; i++) {
      const place = `${name}/${i}`;
      const { start, records } = await readWholeLog(place, reader.partition(name, i)!);
      content.logs.set(place, { start, values: records.map(({ value }) => value) });
    }
  }
  for (const group of reader.groupsWithOffsets()) {
    for (const [place, offset] of offsetsOf(reader, group)) content.offsets.set(`${group} ${place}`, offset);
  }
  return content;
}
