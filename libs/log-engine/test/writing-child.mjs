/**
 * Appends to four topics until it is killed, and prints each append that was acknowledged as synced. Plain JavaScript
 * over what was built, so that a process of its own starts at once.
 */
import { writeSync } from 'node:fs';
import { RecordBatchBuilder } from '@tickfold/kafka-protocol';
import { openLogEngine } from '@tickfold/log-engine';

const WRITERS = 4;
const RECORDS = 5;
const dataDir = process.argv[2];
const engine = await openLogEngine({ dataDir, segmentBytes: 64 * 1024 });

function numberedBatch(label) {
  const builder = new RecordBatchBuilder();
  for (let i = 0; i < RECORDS; i++) builder.append(label, `${label}-${i}`, 1000 + i);
  return builder.finish();
}

async function write(topic) {
  if (engine.topic(topic) === undefined) await engine.createTopic(topic, { partitionCount: 1 });
  const log = engine.partition(topic, 0);
  for (;;) {
    const { lastOffset } = await log.append(numberedBatch(`${topic}-${log.logEndOffset}`), 'synced');
    await engine.commitOffsets('v.g', [{ topic, partition: 0, offset: lastOffset, leaderEpoch: 0, metadata: '' }]);
    // Straight to the pipe: what a stream keeps back would be lost with the process.
    writeSync(1, `${topic} ${lastOffset}\n`);
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, i) => write(`v.t${i}`)));
