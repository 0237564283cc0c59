import { apis, errorCodes } from '@tickfold/kafka-protocol';
import type { LogEngine, TopicDescription } from '@tickfold/log-engine';
import { findPartition } from '../engine-errors.ts';
import { type Route, route } from '../route.ts';

/** What a volume has of one topic, with the partitions that were asked for. */
interface Share {
  topic: TopicDescription;
  partitions: readonly number[];
}

/** Volumes stand for Kafka's log directories: each has a journal of its own, and its topics lie in it. */
export function describeLogDirsRoute(engine: LogEngine): Route {
  const sharesOf = (asked: readonly { name: string; partitions: readonly number[] }[] | null): Share[] => {
    const topics = engine.topics();
    if (asked === null) {
      return topics.map((topic) => ({ topic, partitions: Array.from({ length: topic.partitionCount }, (_, i) => i) }));
    }
    const byName = new Map(topics.map((topic) => [topic.name, topic]));
    return asked.flatMap(({ name, partitions }) => {
      const topic = byName.get(name);
      return topic === undefined ? [] : [{ topic, partitions }];
    });
  };

  const sizesOf = ({ topic: { name }, partitions }: Share) => ({
    name,
    partitions: partitions.flatMap((index) => {
      const { log } = findPartition(engine, name, index);
      return log === undefined ? [] : [{ index, sizeBytes: BigInt(log.sizeBytes), offsetLag: 0n, isFuture: false }];
    }),
  });

  return route(apis.describeLogDirs, ({ topics }) => {
    const shares = sharesOf(topics);
    return {
      throttleTimeMs: 0,
      errorCode: errorCodes.NONE,
      results: engine.volumes().map(({ name, stopped }) => ({
        errorCode: stopped === undefined ? errorCodes.NONE : errorCodes.KAFKA_STORAGE_ERROR,
        logDir: name,
        topics: shares.filter(({ topic }) => topic.volume === name).map(sizesOf),
        totalBytes: -1n,
        usableBytes: -1n,
      })),
    };
  });
}
