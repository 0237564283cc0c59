import type { LogReader } from '@tickfold/log-engine';

/** Two logs as one: what the first does not hold is looked for in the second. */
export function joinedLog(first: LogReader, second: LogReader): LogReader {
  return {
    topics: () => [...first.topics(), ...second.topics()],
    topic: (name) => first.topic(name) ?? second.topic(name),
    partition: (topic, partition) => first.partition(topic, partition) ?? second.partition(topic, partition),
    committedOffsets: (group) => [...first.committedOffsets(group), ...second.committedOffsets(group)],
    groupsWithOffsets: () => [...new Set([...first.groupsWithOffsets(), ...second.groupsWithOffsets()])],
  };
}
