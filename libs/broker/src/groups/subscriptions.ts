import { ProtocolError, Reader } from '@tickfold/kafka-protocol';
import type { GroupView } from './coordinator.ts';

const CONSUMER_PROTOCOL = 'consumer';

/**
 * Whether members of a group read a topic now. What a member says about that is in its client's own format, of which
 * the start is the same in all versions: int16 version · array of topic names. Where it is something else, the answer
 * is yes, as with Kafka.
 */
export function isSubscribed(group: GroupView, topic: string): boolean {
  if (group.members.length === 0) return false;
  if (group.protocolType !== CONSUMER_PROTOCOL) return true;
  return group.members.some((member) => {
    const [protocol] = member.protocols;
    return protocol === undefined || (topicsOf(protocol.metadata)?.includes(topic) ?? true);
  });
}

function topicsOf(metadata: Uint8Array): string[] | undefined {
  try {
    const reader = new Reader(metadata);
    reader.int16();
    const count = reader.int32();
    reader.countElements(count);
    return Array.from({ length: count }, () => reader.text(reader.int16()));
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
