import { TopicModel } from './model.ts';
import { COMPACTED_TOPICS, PARTITIONS } from './operations.ts';
import type { Rig } from './rig.ts';

const COMPACTION = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.1' };

export async function createTopic(rig: Rig, name: string): Promise<void> {
  const { engine, model } = rig;
  const known = model.topics.get(name);
  if (known?.presence === 'unknown') return;
  await rig.snapshotsUnderWay.settled();
  if (known !== undefined) return rig.refused(engine.createTopic(name, { partitionCount: 1 }), 'topic-exists');
  const topic = new TopicModel(name, PARTITIONS, model.nextSerial());
  const settings = COMPACTED_TOPICS.includes(name) ? COMPACTION : {};
  topic.allow(settings, rig.hasQuota);
  model.topics.set(name, topic);
  await engine.createTopic(name, { partitionCount: PARTITIONS, settings });
  topic.presence = 'there';
}

export async function alterTopic(
  rig: Rig,
  order: { topic: string; settings: Record<string, string> | undefined; morePartitions: number },
): Promise<void> {
  const topic = rig.model.topic(order.topic);
  if (topic === undefined) return;
  await rig.snapshotsUnderWay.settled();
  const partitionCount = topic.partitions.length + order.morePartitions;
  const own = COMPACTED_TOPICS.includes(topic.name) ? COMPACTION : {};
  const settings = order.settings && { ...own, ...order.settings };
  topic.allow(settings ?? {}, rig.hasQuota);
  await rig.engine.alterTopic(topic.name, { ...(settings && { settings }), partitionCount });
  topic.growTo(partitionCount, rig.model.serial);
}

export async function deleteTopic(rig: Rig, name: string): Promise<void> {
  const topic = rig.model.topic(name);
  if (topic === undefined) return;
  await rig.snapshotsUnderWay.settled();
  topic.presence = 'unknown';
  const forgotten = rig.model.forgetTopic(name);
  await rig.engine.deleteTopic(name);
  topic.presence = 'gone';
  rig.model.topics.delete(name);
  forgotten();
}
