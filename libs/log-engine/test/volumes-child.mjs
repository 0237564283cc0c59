/**
 * Until it is killed: appends to two topics, freezes their volume and deletes older snapshots, adopts staged volumes
 * and deletes them. Prints each snapshot that was made, with the end of a log that it must hold at least.
 */
import { writeSync } from 'node:fs';
import { RecordBatchBuilder } from '@tickfold/kafka-protocol';
import { deleteSnapshot, openLogEngine, stageVolume } from '@tickfold/log-engine';

const [, , dataDir, run] = process.argv;
const KEPT_SNAPSHOTS = 3;
const STAGED_RECORDS = 20;
const engine = await openLogEngine({ dataDir, segmentBytes: 16 * 1024 });

function batchOf(label) {
  const builder = new RecordBatchBuilder();
  builder.append(label, label, 1000);
  return builder.finish();
}

async function write(topic) {
  const log = engine.partition(topic, 0);
  for (;;) await log.append(batchOf(`${topic}-${log.logEndOffset}`), 'synced');
}

async function freeze() {
  for (let i = 0; ; i++) {
    const [name, visible] = [`v@r${run}-${i}`, engine.partition('v.a', 0).highWatermark];
    await engine.createSnapshot(name, { visible: String(visible) });
    // Straight to the pipe: what a stream keeps back would be lost with the process.
    writeSync(1, `${name} ${visible}\n`);
    if (i >= KEPT_SNAPSHOTS) await deleteSnapshot(dataDir, `v@r${run}-${i - KEPT_SNAPSHOTS}`);
  }
}

async function adopt(volume) {
  if (engine.volumes().some(({ name }) => name === volume)) await engine.deleteVolume(volume);
  for (;;) {
    const staged = await stageVolume(dataDir, volume);
    await staged.engine.createTopic(`${volume}.t`, { partitionCount: 1 });
    const log = staged.engine.partition(`${volume}.t`, 0);
    for (let i = 0; i < STAGED_RECORDS; i++) await log.append(batchOf(`${volume}-${i}`), 'written');
    await staged.finish();
    await engine.adoptVolume(staged.id);
    await staged.discard();
    await engine.deleteVolume(volume);
  }
}

for (const topic of ['v.a', 'v.b']) {
  if (engine.topic(topic) === undefined) await engine.createTopic(topic, { partitionCount: 1 });
}
await Promise.all([write('v.a'), write('v.b'), freeze(), adopt('x'), adopt('y')]);
