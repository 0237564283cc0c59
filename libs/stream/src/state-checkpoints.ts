import type { OutgoingRecord, ProcessorOptions, TopicSpec } from './api.ts';
import { processorHeaders } from './processor-headers.ts';

/** Only the last state of a partition counts. */
const COMPACTED = { 'cleanup.policy': 'compact' };

const topicOf = (group: string): string => `${group}-state`;

/** Where the states of a group's processor are kept: partition by partition, as its input. */
export function stateTopic(group: string, partitionCount: number): TopicSpec {
  return { name: topicOf(group), partitionCount, settings: COMPACTED };
}

/** A state as a record. @param nextOffset of the first input record that is not in it */
export function stateRecord(group: string, partition: number, nextOffset: bigint, bytes: Uint8Array): OutgoingRecord {
  return {
    topic: topicOf(group),
    partition,
    key: String(partition),
    value: bytes,
    timestampMs: 0,
    headers: { [processorHeaders.next]: String(nextOffset) },
  };
}

/** The last state that was committed, with the offset of the first input record that is not in it. */
export async function keptState<State>(
  { client, group, checkpoint }: ProcessorOptions<State>,
  partition: number,
): Promise<{ state: State; nextOffset: bigint } | undefined> {
  if (checkpoint === undefined) return undefined;
  const last = await client.lastRecord(topicOf(group), partition);
  const next = last?.header(processorHeaders.next);
  if (last?.value == null || next === undefined) return undefined;
  return { state: checkpoint.deserialize(last.value), nextOffset: BigInt(next) };
}
