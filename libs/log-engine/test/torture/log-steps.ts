import { type Durability, volumeOfGroup } from '@tickfold/log-engine';
import { batchOf } from '../batches.ts';
import { recordsOf } from './found.ts';
import type { TopicModel } from './model.ts';
import type { Append } from './operations.ts';
import type { PartitionModel, Sent, SentRecord } from './partition-model.ts';
import { isRefusal } from './refusal.ts';
import type { Rig } from './rig.ts';
import { mustHold } from './violation.ts';

/** Records' times follow their place among all that was sent. */
const MS_PER_SERIAL = 100;
const KEYS = 5;

export async function append(rig: Rig, order: Append): Promise<void> {
  const found = rig.find(order.topic, order.partition);
  if (found === undefined) return;
  const { topic, log, partition } = found;
  const sent: Sent[] = [];
  const bytes: Buffer[] = [];
  for (let i = 0; i < order.batches; i++) {
    const serial = rig.model.nextSerial();
    const records = recordsSent(serial, order.records);
    bytes.push(batchOf(timed(serial, records)));
    sent.push(partition.send(serial, records));
  }
  const appending = log.append(Buffer.concat(bytes), order.durability).then(
    ({ baseOffset }) => acknowledge(partition, sent, order.durability, Number(baseOffset)),
    (error: unknown) => fail(rig, topic, sent, error),
  );
  rig.underWay.add(appending);
  if (order.wait) await appending.catch(() => undefined);
}

/** Many writers at once, spread over the partitions. */
export async function burst(
  rig: Rig,
  order: { topic: string; writers: number; records: number; durability: Durability },
): Promise<void> {
  const partitions = rig.model.topic(order.topic)?.partitions.length ?? 0;
  for (let i = 0; i < order.writers && partitions > 0; i++) {
    await append(rig, { ...order, partition: i % partitions, batches: 1, wait: false });
  }
}

export async function read(
  rig: Rig,
  order: { topic: string; partition: number; from: number; maxBytes: number },
): Promise<void> {
  const found = rig.find(order.topic, order.partition);
  if (found === undefined) return;
  const { log, partition } = found;
  const [start, end] = [Number(log.logStartOffset), Number(log.highWatermark)];
  const offset = start + Math.floor(order.from * (end - start + 1));
  const { batches } = await log.read(BigInt(offset), order.maxBytes).catch((error: unknown) => {
    // Its records were deleted, or went by themselves, just now.
    if (isRefusal(error, 'offset-out-of-range') && Number(log.logStartOffset) > offset) return { batches: [] };
    throw error;
  });
  const { records } = recordsOf(partition.name, batches, offset, partition.isCompacted);
  const isEmptyAllowed = offset === end || Number(log.logStartOffset) > offset || partition.isCompacted;
  mustHold(records.length > 0 || isEmptyAllowed, 'lost', () => `${partition.name}: nothing at ${offset} of ${end}`);
  partition.show(records, rig.setting.visibility === 'synced');
}

/** The first record at or after a time is just that: none before it is late enough, and it is. */
export async function findTime(rig: Rig, order: { topic: string; partition: number; at: number }): Promise<void> {
  const found = rig.find(order.topic, order.partition);
  if (found === undefined || found.partition.isCompacted) return;
  const { log, partition } = found;
  const wanted = Math.floor(order.at * rig.model.serial * MS_PER_SERIAL);
  const end = Number(log.highWatermark);
  const first = await log.offsetForTimestamp(BigInt(wanted));
  for (let offset = Number(log.logStartOffset); offset < end; offset++) {
    const timeMs = timeAt(partition, offset);
    if (timeMs === undefined || timeMs < wanted) continue;
    const isFound = first !== undefined && Number(first.offset) <= offset;
    mustHold(
      isFound,
      'lost',
      () => `${partition.name}: ${first?.offset ?? 'nothing'} at ${wanted} ms instead of ${offset}`,
    );
    break;
  }
  const timeMs = first && timeAt(partition, Number(first.offset));
  if (timeMs === undefined) return;
  const fits = timeMs >= wanted && timeMs === Number(first?.timestampMs);
  mustHold(fits, 'diverged', () => `${partition.name}: ${timeMs} ms where ${wanted} ms was asked for`);
}

export async function deleteRecords(
  rig: Rig,
  order: { topic: string; partition: number; upTo: number; wait: boolean },
): Promise<void> {
  const found = rig.find(order.topic, order.partition);
  if (found === undefined) return;
  const { topic, log, partition } = found;
  const offset = Math.floor(order.upTo * Number(log.highWatermark));
  partition.askToDeleteBefore(offset);
  const deleting = log.deleteRecordsBefore(BigInt(offset)).then(
    (start) => {
      mustHold(Number(start) >= offset, 'diverged', () => `${partition.name} starts at ${start}, not at ${offset}`);
      partition.deletedBefore(Number(start));
    },
    (error: unknown) => {
      if (!isGone(topic, error)) rig.mustBeExplained(error);
    },
  );
  rig.underWay.add(deleting);
  if (order.wait) await deleting.catch(() => undefined);
}

export async function commit(
  rig: Rig,
  order: { group: string; topic: string; partition: number; wait: boolean },
): Promise<void> {
  const { group, topic, partition } = order;
  // Nobody promises an order of calls that come while their volume is being made.
  await rig.hasVolume(volumeOfGroup(group));
  const serial = rig.model.nextSerial();
  const acknowledged = rig.model.group(group).commit(`${topic}/${partition}`, serial, serial);
  const row = { topic, partition, offset: BigInt(serial), leaderEpoch: 0, metadata: `at ${serial}` };
  const committing = rig.engine.commitOffsets(group, [row]).then(acknowledged, (error: unknown) => {
    // The group's volume was deleted meanwhile.
    if (!isRefusal(error, 'unknown-topic')) rig.mustBeExplained(error);
  });
  rig.underWay.add(committing);
  if (order.wait) await committing.catch(() => undefined);
}

export async function forgetGroup(rig: Rig, group: string): Promise<void> {
  // Of calls that are under way at the same time nobody promises an order, where their volume is yet to be made.
  await rig.underWay.settled();
  const acknowledged = rig.model.group(group).forget(() => true, rig.model.nextSerial());
  await rig.engine.deleteGroupOffsets(group);
  acknowledged();
}

export function recordsSent(serial: number, count: number): SentRecord[] {
  return Array.from({ length: count }, (_, i) => ({ key: `k${(serial + i) % KEYS}`, value: `r${serial}-${i}` }));
}

/** What a value tells about its record. */
export function recordSent(value: string): { key: string; value: string; serial: number } {
  const [serial, i] = value.slice(1).split('-').map(Number) as [number, number];
  return { key: `k${(serial + i) % KEYS}`, value, serial };
}

/** The records with their times. */
export function timed(
  serial: number,
  records: readonly SentRecord[],
): { key: string; value: string; timestampMs: number }[] {
  return records.map((record, i) => ({ ...record, timestampMs: serial * MS_PER_SERIAL + i }));
}

export function fail(rig: Rig, topic: TopicModel, sent: readonly Sent[], error: unknown): void {
  for (const batch of sent) batch.hasFailed = true;
  if (!isGone(topic, error)) rig.mustBeExplained(error);
}

function acknowledge(partition: PartitionModel, sent: readonly Sent[], durability: Durability, base: number): void {
  let offset = base;
  for (const batch of sent) {
    partition.acknowledge(batch, durability, offset);
    offset += batch.records.length;
  }
}

function isGone(topic: TopicModel, error: unknown): boolean {
  return topic.presence !== 'there' && isRefusal(error, 'unknown-topic');
}

function timeAt(partition: PartitionModel, offset: number): number | undefined {
  const known = partition.at(offset);
  return known && known.serial * MS_PER_SERIAL + Number(known.value.split('-')[1]);
}
