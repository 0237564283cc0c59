import { apis, errorCodes, type RequestOf } from '@tickfold/kafka-protocol';
import type { LogEngine } from '@tickfold/log-engine';
import { findPartition, kafkaErrorOf } from '../engine-errors.ts';
import type { GroupCoordinator } from '../groups/coordinator.ts';
import { isSubscribed } from '../groups/subscriptions.ts';
import { type Route, route } from '../route.ts';

type DeleteRequest = RequestOf<typeof apis.offsetDelete>;

/** A group forgets single offsets, but not those of topics that its members read. */
export function offsetDeleteRoute(engine: LogEngine, coordinator: GroupCoordinator): Route {
  const remove = async ({ groupId, topics }: DeleteRequest) => {
    const group = coordinator.view(groupId);
    if (group === undefined && engine.committedOffsets(groupId).length === 0) {
      return { throttleTimeMs: 0, errorCode: errorCodes.GROUP_ID_NOT_FOUND, topics: [] };
    }
    const isRead = (topic: string) => group !== undefined && isSubscribed(group, topic);
    const answers = topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index }) => ({
        index,
        errorCode:
          findPartition(engine, name, index).errorCode ||
          (isRead(name) ? errorCodes.GROUP_SUBSCRIBED_TO_TOPIC : errorCodes.NONE),
      })),
    }));
    const allowed = answers.flatMap(({ name, partitions }) =>
      partitions
        .filter(({ errorCode }) => errorCode === errorCodes.NONE)
        .map(({ index }) => ({ topic: name, partition: index })),
    );
    if (allowed.length > 0) await engine.deleteGroupOffsets(groupId, allowed);
    return { throttleTimeMs: 0, errorCode: errorCodes.NONE, topics: answers };
  };

  return route(apis.offsetDelete, async (request) => {
    try {
      return await remove(request);
    } catch (error) {
      return { throttleTimeMs: 0, errorCode: kafkaErrorOf(error).errorCode, topics: [] };
    }
  });
}
