/** Stages volume `x` in the data folder given first, finishes it if told so, prints the staging's id, and stays. */
import { RecordBatchBuilder } from '@tickfold/kafka-protocol';
import { stageVolume } from '@tickfold/log-engine';

const [, , dataDir, state] = process.argv;
const staged = await stageVolume(dataDir, 'x');
await staged.engine.createTopic('x.t', { partitionCount: 1 });
for (let i = 0; i < 3; i++) {
  const builder = new RecordBatchBuilder();
  builder.append(`v${i}`, `v${i}-0`, 1000);
  await staged.engine.partition('x.t', 0).append(builder.finish(), 'synced');
}
if (state === 'finished') await staged.finish();
console.log(staged.id);
setInterval(() => undefined, 60_000);
