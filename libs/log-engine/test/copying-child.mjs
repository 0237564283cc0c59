/**
 * Until it is killed: copies records of `a.in` to `b.out` in transactions that also move the position of group `a.group`,
 * aborting some. Prints the position after each commit that was acknowledged.
 */
import { writeSync } from 'node:fs';
import { RecordBatchBuilder } from '@tickfold/kafka-protocol';
import { openLogEngine } from '@tickfold/log-engine';

const RECORDS_A_TRANSACTION = 3;
const ABORTED_EACH = 4;
const engine = await openLogEngine({ dataDir: process.argv[2], segmentBytes: 16 * 1024 });
for (const topic of ['a.in', 'b.out']) {
  if (engine.topic(topic) === undefined) await engine.createTopic(topic, { partitionCount: 1 });
}
const transactionalId = 'a.copy';
const producer = { transactionalId, ...(await engine.openProducer({ transactionalId })) };
let sequence = 0;

async function send(label) {
  const builder = new RecordBatchBuilder();
  builder.append(null, label, 1000);
  const { producerId, epoch: producerEpoch } = producer;
  const batch = builder.finish({ producerId, producerEpoch, baseSequence: sequence++, isTransactional: true });
  await engine.partition('b.out', 0).append(batch, 'written');
}

async function copy(from) {
  await engine.beginTransaction(producer);
  for (let i = 0; i < RECORDS_A_TRANSACTION; i++) await send(`record-${from + i}`);
  const offset = BigInt(from + RECORDS_A_TRANSACTION);
  const position = { topic: 'a.in', partition: 0, offset, leaderEpoch: -1, metadata: '' };
  await engine.commitOffsetsInTransaction(producer, 'a.group', [position]);
}

let next = Number(engine.committedOffsets('a.group')[0]?.offset ?? 0n);
for (let i = 0; ; i++) {
  await copy(next);
  const outcome = i % ABORTED_EACH === 0 ? 'abort' : 'commit';
  await engine.endTransaction(producer, outcome);
  if (outcome === 'abort') continue;
  next += RECORDS_A_TRANSACTION;
  // Straight to the pipe: what a stream keeps back would be lost with the process.
  writeSync(1, `${next}\n`);
}
