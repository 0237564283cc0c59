/**
 * The process that is killed. Writes to topics, sends each idempotent batch twice, copies records in transactions over two
 * volumes, takes snapshots and deletes older ones; prints what was acknowledged, one JSON object a line.
 *
 *   node kill-target.js DATA_DIR RUN
 */
import { writeSync } from 'node:fs';
import { deleteSnapshot, type LogEngine, openLogEngine, type TransactionalProducer } from '@tickfold/log-engine';
import { batchOf } from '../batches.ts';
import {
  type Acknowledged,
  COPY_GROUP,
  COPY_TOPIC,
  GROUP,
  IDEMPOTENT_TOPIC,
  SEGMENT_BYTES,
  TOPICS,
  VOLUME,
  valueAt,
} from './kill-target-facts.ts';

const RECORDS = 5;
const COPIED_AT_ONCE = 3;
const ABORTED_EACH = 4;
const KEPT_SNAPSHOTS = 3;
const MAINTENANCE_MS = 20;

const [, , dataDir = '', run = ''] = process.argv;
const engine = await openLogEngine({ dataDir, segmentBytes: SEGMENT_BYTES, maintenanceIntervalMs: MAINTENANCE_MS });

/** Straight to the pipe: what a stream keeps back would be lost with the process. */
function tell(acknowledged: Acknowledged): void {
  writeSync(1, `${JSON.stringify(acknowledged)}\n`);
}

function valuesAt(topic: string, offset: number): { timestampMs: number; key: string; value: string }[] {
  return Array.from({ length: RECORDS }, (_, i) => ({
    timestampMs: 1000,
    key: topic,
    value: valueAt(topic, offset + i),
  }));
}

async function write(topic: string): Promise<void> {
  const log = engine.partition(topic, 0)!;
  for (;;) {
    const { lastOffset } = await log.append(batchOf(valuesAt(topic, Number(log.logEndOffset))), 'synced');
    await engine.commitOffsets(GROUP, [{ topic, partition: 0, offset: lastOffset, leaderEpoch: 0, metadata: '' }]);
    tell({ topic, lastOffset: Number(lastOffset) });
  }
}

/** Each batch goes twice at once: it is stored once. */
async function writeTwice(topic: string): Promise<void> {
  const log = engine.partition(topic, 0)!;
  const { producerId, epoch: producerEpoch } = await engine.openProducer();
  for (let baseSequence = 0; ; baseSequence += RECORDS) {
    const records = valuesAt(topic, Number(log.logEndOffset));
    const batch = batchOf(records, { producerId, producerEpoch, baseSequence });
    const [{ lastOffset }] = await Promise.all([log.append(batch, 'synced'), log.append(batch, 'synced')]);
    tell({ topic, lastOffset: Number(lastOffset) });
  }
}

/** As a processor does it: what it writes and where it stands move together, or not at all. */
async function copy(transactionalId: string): Promise<void> {
  const log = engine.partition(COPY_TOPIC, 0)!;
  const producer: TransactionalProducer = { transactionalId, ...(await engine.openProducer({ transactionalId })) };
  const { producerId, epoch: producerEpoch } = producer;
  let next = Number(engine.committedOffsets(COPY_GROUP)[0]?.offset ?? 0n);
  for (let round = 0, baseSequence = 0; ; round++) {
    await engine.beginTransaction(producer);
    for (let i = 0; i < COPIED_AT_ONCE; i++, baseSequence++) {
      const records = [{ timestampMs: 1000, key: null, value: valueAt(COPY_TOPIC, next + i) }];
      await log.append(batchOf(records, { producerId, producerEpoch, baseSequence, isTransactional: true }), 'written');
    }
    const offset = BigInt(next + COPIED_AT_ONCE);
    const position = { topic: TOPICS[0]!, partition: 0, offset, leaderEpoch: -1, metadata: '' };
    await engine.commitOffsetsInTransaction(producer, COPY_GROUP, [position]);
    const outcome = round % ABORTED_EACH === 0 ? 'abort' : 'commit';
    await engine.endTransaction(producer, outcome);
    if (outcome === 'abort') continue;
    next += COPIED_AT_ONCE;
    tell({ copiedTo: next });
  }
}

async function freeze(): Promise<void> {
  for (let i = 0; ; i++) {
    const name = `${VOLUME}@r${run}-${i}`;
    const atLeast = Number(engine.partition(TOPICS[0]!, 0)!.highWatermark);
    await engine.createSnapshot(name, { atLeast });
    tell({ snapshot: name, atLeast });
    if (i < KEPT_SNAPSHOTS) continue;
    const oldest = `${VOLUME}@r${run}-${i - KEPT_SNAPSHOTS}`;
    tell({ deleting: oldest });
    await deleteSnapshot(dataDir, oldest);
  }
}

async function makeTopics(on: LogEngine): Promise<void> {
  for (const topic of [...TOPICS, IDEMPOTENT_TOPIC, COPY_TOPIC]) {
    if (on.topic(topic) === undefined) await on.createTopic(topic, { partitionCount: 1 });
  }
}

await makeTopics(engine);
await Promise.all([...TOPICS.map(write), writeTwice(IDEMPOTENT_TOPIC), copy(`${VOLUME}.copy`), freeze()]);
