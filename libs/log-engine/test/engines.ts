import { iterateBatches } from '@tickfold/kafka-protocol';
import { afterEach } from 'vitest';
import type {
  EngineEvent,
  EngineOptions,
  LogEngine,
  LogReader,
  PartitionLog,
  PartitionReader,
  Snapshot,
} from '../src/api.ts';
import { type Disk, nodeDisk } from '../src/disk.ts';
import { openEngineOn } from '../src/engine.ts';
import { openSnapshot } from '../src/snapshot-reader.ts';
// Hooks run in the reverse order of their making: so the engines are closed before their folders go.
import './temporary-folder.ts';

const open = new Set<LogEngine>();

/** Opens an engine that is closed after the test at the latest, with the events that it told. */
export async function openEngine(
  options: EngineOptions,
  disk: Disk = nodeDisk,
): Promise<LogEngine & { events: EngineEvent[] }> {
  const events: EngineEvent[] = [];
  const engine = await openEngineOn({
    disk,
    maintenanceIntervalMs: 0,
    onEvent: (event) => events.push(event),
    ...options,
  });
  open.add(engine);
  return Object.assign(engine, { events });
}

const frozen = new Set<Snapshot>();

/** Opens a snapshot that is closed after the test at the latest. */
export async function readSnapshot(dataDir: string, name: string): Promise<Snapshot> {
  const snapshot = await openSnapshot(dataDir, name);
  frozen.add(snapshot);
  return snapshot;
}

afterEach(async () => {
  for (const engine of open) await engine.close();
  for (const snapshot of frozen) await snapshot.close();
  open.clear();
  frozen.clear();
});

/** The partition of a snapshot, or of an engine as its readers see it. */
export function readerOf(reader: LogReader, topic: string, partition = 0): PartitionReader {
  const found = reader.partition(topic, partition);
  if (found === undefined) throw new Error(`there is no ${topic}/${partition}`);
  return found;
}

export function logOf(engine: LogEngine, topic: string, partition = 0): PartitionLog {
  const log = engine.partition(topic, partition);
  if (log === undefined) throw new Error(`there is no ${topic}/${partition}`);
  return log;
}

export interface ReadRecord {
  offset: bigint;
  timestampMs: number;
  value: string;
}

/** All visible records from `offset` on, read in small steps. */
export async function readAll(
  log: PartitionReader,
  offset = log.logStartOffset,
  maxBytes = 500,
): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  let next = offset;
  for (;;) {
    const { batches, highWatermark } = await log.read(next, maxBytes);
    if (batches.length === 0) return records;
    for (const bytes of batches) {
      for (const batch of iterateBatches(bytes)) {
        if (!batch.crcIsValid()) throw new Error(`the batch at ${batch.header.baseOffset} does not match its CRC`);
        for (const record of batch.records()) {
          if (record.offset < next) continue;
          records.push({
            offset: record.offset,
            timestampMs: record.timestampMs,
            value: record.value?.toString() ?? '',
          });
        }
        next = batch.header.lastOffset + 1n;
      }
    }
    if (next >= highWatermark) return records;
  }
}

/** Only the values of all visible records. */
export async function valuesOf(log: PartitionReader, offset = log.logStartOffset): Promise<string[]> {
  return (await readAll(log, offset)).map((record) => record.value);
}
