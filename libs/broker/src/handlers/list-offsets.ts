import { apis, EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, MAX_TIMESTAMP } from '@tickfold/kafka-protocol';
import type { Isolation, LogEngine, PartitionLog } from '@tickfold/log-engine';
import { findPartition, kafkaErrorOf } from '../engine-errors.ts';
import { isolationOf, visibleEnd } from '../isolation.ts';
import { LEADER_EPOCH } from '../options.ts';
import { type Route, route } from '../route.ts';

const NOT_FOUND = { timestamp: -1n, offset: -1n };

/** The ends of a log, the first offset at or after a time, or the offset with the latest time. */
export function listOffsetsRoute(engine: LogEngine): Route {
  const answerFor = async (topic: string, index: number, timestamp: bigint, isolation: Isolation) => {
    const answer = { index, errorCode: 0, ...NOT_FOUND, leaderEpoch: LEADER_EPOCH };
    const { log, errorCode } = findPartition(engine, topic, index);
    if (log === undefined) return { ...answer, errorCode };
    try {
      return { ...answer, ...(await lookUp(log, timestamp, isolation)) };
    } catch (error) {
      return { ...answer, errorCode: kafkaErrorOf(error).errorCode };
    }
  };

  return route(apis.listOffsets, async (request) => ({
    throttleTimeMs: 0,
    topics: await Promise.all(
      request.topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(({ index, timestamp }) => answerFor(name, index, timestamp, isolationOf(request))),
        ),
      })),
    ),
  }));
}

async function lookUp(
  log: PartitionLog,
  timestamp: bigint,
  isolation: Isolation,
): Promise<{ timestamp: bigint; offset: bigint }> {
  if (timestamp === LATEST_TIMESTAMP) return { timestamp: -1n, offset: visibleEnd(log, isolation) };
  if (timestamp === EARLIEST_TIMESTAMP) return { timestamp: -1n, offset: log.logStartOffset };
  const found =
    timestamp === MAX_TIMESTAMP
      ? await log.offsetOfLatest(isolation)
      : await log.offsetForTimestamp(timestamp, isolation);
  return found === undefined ? NOT_FOUND : { timestamp: found.timestampMs, offset: found.offset };
}
