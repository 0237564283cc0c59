/** Appends to four topics until it is killed, and prints each append that was acknowledged as synced. */
import { writeSync } from 'node:fs';
import { openLogEngine } from '../src/index.ts';
import { numberedBatch } from './batches.ts';

const WRITERS = 4;
const dataDir = process.argv[2]!;
const engine = await openLogEngine({ dataDir, segmentBytes: 64 * 1024 });

async function write(topic: string): Promise<void> {
  if (engine.topic(topic) === undefined) await engine.createTopic(topic, { partitionCount: 1 });
  const log = engine.partition(topic, 0)!;
  for (;;) {
    const next = log.logEndOffset;
    const { lastOffset } = await log.append(numberedBatch(`${topic}-${next}`, 5), 'synced');
    await engine.commitOffsets('v.g', [{ topic, partition: 0, offset: lastOffset, leaderEpoch: 0, metadata: '' }]);
    // Straight to the pipe: what a stream keeps back would be lost with the process.
    writeSync(1, `${topic} ${lastOffset}\n`);
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, i) => write(`v.t${i}`)));
