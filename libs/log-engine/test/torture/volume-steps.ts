import { deleteSnapshot as deleteSnapshotOf, stageVolume } from '@tickfold/log-engine';
import { batchOf } from '../batches.ts';
import { readSnapshot } from './compare.ts';
import { recordsSent, timed } from './log-steps.ts';
import { type FileModel, type SnapshotModel, TopicModel } from './model.ts';
import type { Rig } from './rig.ts';

/** Where files are written before they are published. */
const INCOMING = '/incoming';

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

export async function publishFile(rig: Rig, { volume, which }: { volume: string; which: number }): Promise<void> {
  if (!(await rig.hasVolume(volume))) return;
  const path = `tables/part-${which}`;
  const from = `${INCOMING}/${rig.model.nextSerial()}`;
  const text = `published as ${from}`;
  await rig.disk.makeFolder(INCOMING);
  const incoming = await rig.disk.create(from);
  await incoming.write([Buffer.from(text)], 0);
  await incoming.close();
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
