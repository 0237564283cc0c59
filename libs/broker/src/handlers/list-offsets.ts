import { apis, EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from '@tickfold/kafka-protocol';
import type { LogEngine, PartitionLog } from '@tickfold/log-engine';
import { findPartition, kafkaErrorOf } from '../engine-errors.ts';
import { LEADER_EPOCH } from '../options.ts';
import { type Route, route } from '../route.ts';

const NOT_FOUND = { timestamp: -1n, offset: -1n };

/** The ends of a log, or the first offset at or after a time. */
export function listOffsetsRoute(engine: LogEngine): Route {
  const answerFor = async (topic: string, index: number, timestamp: bigint) => {
    const answer = { index, errorCode: 0, ...NOT_FOUND, leaderEpoch: LEADER_EPOCH };
    const { log, errorCode } = findPartition(engine, topic, index);
    if (log === undefined) return { ...answer, errorCode };
    try {
      return { ...answer, ...(await lookUp(log, timestamp)) };
    } catch (error) {
      return { ...answer, errorCode: kafkaErrorOf(error).errorCode };
    }
  };

  return route(apis.listOffsets, async ({ topics }) => ({
    throttleTimeMs: 0,
    topics: await Promise.all(
      topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(partitions.map(({ index, timestamp }) => answerFor(name, index, timestamp))),
      })),
    ),
  }));
}

async function lookUp(log: PartitionLog, timestamp: bigint): Promise<{ timestamp: bigint; offset: bigint }> {
  if (timestamp === LATEST_TIMESTAMP) return { timestamp: -1n, offset: log.highWatermark };
  if (timestamp === EARLIEST_TIMESTAMP) return { timestamp: -1n, offset: log.logStartOffset };
  const found = await log.offsetForTimestamp(timestamp);
  return found === undefined ? NOT_FOUND : { timestamp: found.timestampMs, offset: found.offset };
}
