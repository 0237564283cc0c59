import { listSnapshots, openSnapshot, verifySnapshot } from '@tickfold/log-engine';
import { checkSnapshot } from './check-snapshot.ts';
import { contentOf, offsetsOf, readWholeLog } from './found.ts';
import type { SnapshotModel } from './model.ts';
import type { Ending } from './partition-model.ts';
import type { Rig } from './rig.ts';
import { compareTransactions } from './transaction-steps.ts';
import { mustHold } from './violation.ts';

/** Compares everything that the engine holds with the model. What is there counts as known from now on. */
export async function compare(rig: Rig, ending: Ending): Promise<void> {
  compareTopics(rig);
  for (const { name, partitions } of rig.model.topics.values()) {
    for (const [i, partition] of partitions.entries()) {
      const log = rig.engine.partition(name, i);
      mustHold(log !== undefined, 'lost', () => `there is no ${partition.name}`);
      partition.settle(ending, await readWholeLog(partition.name, log, partition.isCompacted));
      const end = Number(log.logEndOffset);
      mustHold(end === partition.end, 'diverged', () => `${partition.name} ends at ${end}, not ${partition.end}`);
    }
  }
  for (const name of rig.engine.groupsWithOffsets()) {
    if (name !== rig.model.transactions.group) rig.model.group(name);
  }
  for (const [name, group] of rig.model.groups) group.settle(offsetsOf(rig.engine, name));
  compareFiles(rig);
  await compareSnapshots(rig);
  await compareTransactions(rig);
}

/** Reads a snapshot and compares it with the model; now and then every byte of it is read. */
export async function readSnapshot(rig: Rig, snapshot: SnapshotModel, isThorough = false): Promise<void> {
  const opened = await openSnapshot(rig.dataDir, snapshot.name, { disk: rig.disk });
  try {
    checkSnapshot(rig.model, snapshot, await contentOf(opened));
  } finally {
    await opened.close();
  }
  if (!isThorough) return;
  const { damages } = await verifySnapshot(rig.dataDir, snapshot.name, { disk: rig.disk });
  mustHold(damages.length === 0, 'diverged', () => `${snapshot.name}: ${JSON.stringify(damages)}`);
}

/** Which topics are there: those that should be, and any of those whose making or deletion did not return. */
function compareTopics({ engine, model }: Rig): void {
  const found = new Map(engine.topics().map((topic) => [topic.name, topic]));
  for (const name of model.transactions.topics) found.delete(name);
  for (const { volume, topics } of model.unsureVolumes) {
    const there = topics.filter((name) => found.has(name));
    const isWhole = there.length === 0 || there.length === topics.length;
    mustHold(isWhole, 'lost', () => `of volume ${volume} only ${there.join(', ')} are there`);
  }
  model.unsureVolumes = [];
  for (const topic of [...model.topics.values()]) {
    const { name, presence } = topic;
    const there = found.get(name);
    mustHold(there !== undefined || presence !== 'there', 'lost', () => `there is no topic ${name}`);
    topic.presence = there === undefined ? 'gone' : 'there';
    if (there === undefined) model.topics.delete(name);
    else topic.growTo(there.partitionCount, model.serial);
    found.delete(name);
  }
  mustHold(found.size === 0, 'doubled', () => `nobody made the topics ${[...found.keys()].join(', ')}`);
}

/** Which files are in the catalog, each with its bytes. */
function compareFiles({ engine, model, disk, dataDir }: Rig): void {
  const found = new Set<string>();
  for (const { name } of engine.volumes()) for (const { path } of engine.files(name)) found.add(`${name}/${path}`);
  for (const file of [...model.files]) {
    const place = `${file.volume}/${file.path}`;
    const isThere = found.delete(place);
    mustHold(isThere || file.presence !== 'there', 'lost', () => `there is no file ${place}`);
    file.presence = isThere ? 'there' : 'gone';
    if (!isThere) model.files.delete(file);
    else mustHold(disk.contentOf(`${dataDir}/${place}`).toString() === file.text, 'diverged', () => `file ${place}`);
  }
  mustHold(found.size === 0, 'doubled', () => `nobody published the files ${[...found].join(', ')}`);
}

async function compareSnapshots(rig: Rig): Promise<void> {
  const { model, disk, dataDir } = rig;
  const names = new Set((await listSnapshots(dataDir, undefined, { disk })).map(({ name }) => name));
  for (const snapshot of [...model.snapshots.values()]) {
    const { name, presence } = snapshot;
    const isThere = names.delete(name);
    mustHold(isThere || presence !== 'there', 'lost', () => `there is no snapshot ${name}`);
    snapshot.presence = isThere ? 'there' : 'gone';
    if (isThere) await readSnapshot(rig, snapshot);
    else model.snapshots.delete(name);
  }
  mustHold(names.size === 0, 'doubled', () => `nobody took the snapshots ${[...names].join(', ')}`);
}
