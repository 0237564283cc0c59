import {
  deleteSnapshot as deleteSnapshotOf,
  exportSnapshot,
  importSnapshot,
  openSnapshot,
  stageVolume,
  volumeOfGroup,
  volumeOfTopic,
} from '@tickfold/log-engine';
import { batchOf } from '../batches.ts';
import { readSnapshot } from './compare.ts';
import { recordSent, recordsSent, timed } from './log-steps.ts';
import { type FileModel, type SnapshotModel, TopicModel } from './model.ts';
import type { Rig } from './rig.ts';

/** Where files are written before they are published. */
const INCOMING = '/incoming';
const ARCHIVES = '/archives';

export async function takeSnapshot(rig: Rig, order: { volumes: string[]; wait: boolean }): Promise<void> {
  const { engine, model } = rig;
  const [volume = '', ...others] = order.volumes;
  const areThere = await Promise.all(order.volumes.map((name) => rig.hasVolume(name)));
  const askedAtSerial = model.serial;
  const name = `${volume}@s${model.nextSerial()}`;
  const taking = engine.createSnapshot(name, { askedAtSerial }, { volumes: others });
  if (areThere.includes(false)) return rig.refused(taking, 'unknown-volume');
  const snapshot: SnapshotModel = {
    name,
    volumes: order.volumes,
    presence: 'unknown',
    askedAtSerial,
    content: undefined,
  };
  model.snapshots.set(name, snapshot);
  const taken = taking.then(
    async () => {
      snapshot.presence = 'there';
      await readSnapshot(rig, snapshot).catch((error) => rig.mustBeExplained(error));
    },
    (error: unknown) => rig.mustBeExplained(error),
  );
  rig.snapshotsUnderWay.add(taken);
  rig.underWay.add(taken);
  if (order.wait) await taken.catch(() => undefined);
}

export async function readSomeSnapshot(rig: Rig, which: number): Promise<void> {
  const snapshot = someSnapshot(rig, which);
  if (snapshot !== undefined) await readSnapshot(rig, snapshot, true);
}

export async function deleteSnapshot(rig: Rig, which: number): Promise<void> {
  await rig.snapshotsUnderWay.settled();
  const snapshot = someSnapshot(rig, which);
  if (snapshot === undefined) return;
  snapshot.presence = 'unknown';
  await deleteSnapshotOf(rig.dataDir, snapshot.name, { disk: rig.disk });
  rig.model.snapshots.delete(snapshot.name);
}

/** A volume that is gone comes back as a snapshot held it. */
export async function restoreVolume(rig: Rig, which: number): Promise<void> {
  const { engine, model } = rig;
  const snapshot = someSnapshot(rig, which);
  const volume = snapshot && rig.random.pick(snapshot.volumes);
  if (snapshot?.content === undefined || volume === undefined) return;
  if (await rig.hasVolume(volume)) return rig.refused(engine.restoreVolume(snapshot.name, volume), 'volume-exists');
  if (model.topicsOf(volume).length > 0 || model.filesOf(volume).length > 0) return;
  // What is left of a volume whose making was cut short is in the way.
  if ((await rig.disk.look(`${rig.dataDir}/${volume}`)) !== undefined) return;
  const { topics, files, commits } = await contentOfVolume(rig, snapshot, volume);
  for (const topic of topics) model.topics.set(topic.name, topic);
  for (const file of files) model.files.add(file);
  model.unsureVolumes.push({ volume, topics: topics.map(({ name }) => name) });
  const acknowledged = commits.map(({ group, place, offset }) =>
    model.group(group).commit(place, offset, model.nextSerial()),
  );
  await engine.restoreVolume(snapshot.name, volume);
  model.unsureVolumes.pop();
  for (const part of [...topics, ...files]) part.presence = 'there';
  for (const topic of topics) topic.allow(engine.topic(topic.name)?.settings ?? {}, rig.hasQuota);
  for (const acknowledge of acknowledged) acknowledge();
}

async function contentOfVolume(
  rig: Rig,
  { name, content }: SnapshotModel,
  volume: string,
): Promise<{
  topics: TopicModel[];
  files: FileModel[];
  commits: { group: string; place: string; offset: number }[];
}> {
  const opened = await openSnapshot(rig.dataDir, name, { disk: rig.disk });
  const described = opened.topics().filter((topic) => volumeOfTopic(topic.name) === volume);
  const topics = described.map((topic) => {
    const model = new TopicModel(topic.name, topic.partitionCount, rig.model.nextSerial());
    model.allow(topic.settings, rig.hasQuota);
    for (const partition of model.partitions) partition.restore(content!.logs.get(partition.name)!, recordSent);
    return model;
  });
  const files = opened.manifest.files
    .filter((file) => file.volume === volume)
    .map(({ path }): FileModel => {
      const text = rig.disk.contentOf(opened.filePath(path, volume)!).toString();
      return { volume, path, text, presence: 'unknown' };
    });
  await opened.close();
  const commits = [...content!.offsets].map(([key, offset]) => {
    const [group = '', place = ''] = key.split(' ');
    return { group, place, offset };
  });
  return { topics, files, commits: commits.filter(({ group }) => volumeOfGroup(group) === volume) };
}

/** A snapshot goes into one file and comes out of it under another name, equal in all. */
export async function moveSnapshot(rig: Rig, which: number): Promise<void> {
  const { model, disk, dataDir } = rig;
  await rig.snapshotsUnderWay.settled();
  const snapshot = someSnapshot(rig, which);
  if (snapshot?.content === undefined) return;
  const serial = model.nextSerial();
  const path = `${ARCHIVES}/${serial}.tar`;
  await disk.makeFolder(ARCHIVES);
  await exportSnapshot(dataDir, snapshot.name, path, { disk });
  const name = `${snapshot.volumes[0]}@i${serial}`;
  const imported: SnapshotModel = { ...snapshot, name, presence: 'unknown' };
  model.snapshots.set(name, imported);
  await importSnapshot(dataDir, path, { as: name, disk });
  imported.presence = 'there';
  await disk.remove(path);
}

export async function publishFile(rig: Rig, { volume, which }: { volume: string; which: number }): Promise<void> {
  if (!(await rig.hasVolume(volume))) return;
  const path = `tables/part-${which}`;
  const from = `${INCOMING}/${rig.model.nextSerial()}`;
  const text = `published as ${from}`;
  await rig.disk.makeFolder(INCOMING);
  const incoming = await rig.disk.create(from);
  await incoming.write([Buffer.from(text)], 0).finally(() => incoming.close());
  const known = rig.model.filesOf(volume).find((file) => file.path === path);
  if (known?.presence === 'unknown') return;
  const publishing = rig.engine.publishFile(volume, path, from, { text });
  if (known !== undefined) return rig.refused(publishing, 'file-exists');
  const file: FileModel = { volume, path, text, presence: 'unknown' };
  rig.model.files.add(file);
  await publishing;
  file.presence = 'there';
}

export async function removeFile(rig: Rig, { volume, which }: { volume: string; which: number }): Promise<void> {
  await rig.snapshotsUnderWay.settled();
  const there = rig.model.filesOf(volume).filter(({ presence }) => presence === 'there');
  const file = there[Math.floor(which * there.length)];
  if (file === undefined) return;
  file.presence = 'unknown';
  await rig.engine.removeFile(volume, file.path);
  rig.model.files.delete(file);
}

export async function adopt(rig: Rig, order: { volume: string; records: number; finish: boolean }): Promise<void> {
  const { engine, model } = rig;
  const { volume, records: count } = order;
  const isTaken = engine.volumes().some(({ name }) => name === volume);
  if (isTaken || model.topicsOf(volume).length > 0) return;
  const options = { disk: rig.disk, clock: () => rig.nowMs, maintenanceIntervalMs: 0, reserveBytes: 0 };
  const staged = await stageVolume(rig.dataDir, volume, options);
  try {
    const topic = new TopicModel(`${volume}.t`, 1, model.nextSerial());
    topic.allow({}, rig.hasQuota);
    await staged.engine.createTopic(topic.name, { partitionCount: 1 });
    const serial = model.nextSerial();
    const records = recordsSent(serial, count);
    await staged.engine.partition(topic.name, 0)!.append(batchOf(timed(serial, records)), 'written');
    if (!order.finish) return;
    await staged.finish();
    const sent = topic.partitions[0]!.send(serial, records);
    model.topics.set(topic.name, topic);
    await engine.adoptVolume(staged.id);
    topic.presence = 'there';
    topic.partitions[0]!.acknowledge(sent, 'synced', 0);
  } finally {
    await staged.discard();
  }
}

export async function deleteVolume(rig: Rig, volume: string): Promise<void> {
  const { engine, model } = rig;
  await rig.snapshotsUnderWay.settled();
  const topics = model.topicsOf(volume);
  const files = model.filesOf(volume);
  if ([...topics, ...files].some(({ presence }) => presence === 'unknown')) return;
  if (!(await rig.hasVolume(volume))) {
    // A volume whose making was cut short is none, but what it left can be deleted.
    if ((await rig.disk.look(`${rig.dataDir}/${volume}`)) !== undefined) return engine.deleteVolume(volume);
    return rig.refused(engine.deleteVolume(volume), 'unknown-volume');
  }
  for (const part of [...topics, ...files]) part.presence = 'unknown';
  model.unsureVolumes.push({ volume, topics: topics.map(({ name }) => name) });
  const forgotten = [model.forgetGroupsOf(volume), ...topics.map(({ name }) => model.forgetTopic(name))];
  await engine.deleteVolume(volume);
  model.unsureVolumes.pop();
  for (const topic of topics) model.topics.delete(topic.name);
  for (const file of files) model.files.delete(file);
  for (const acknowledge of forgotten) acknowledge();
}

function someSnapshot(rig: Rig, which: number): SnapshotModel | undefined {
  const there = [...rig.model.snapshots.values()].filter(({ presence }) => presence === 'there');
  return there[Math.floor(which * there.length)];
}
