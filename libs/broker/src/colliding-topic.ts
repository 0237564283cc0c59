import type { LogEngine } from '@tickfold/log-engine';

/** So many separators give 64 spellings; beyond, looking through all topics is less. */
const MOST_SEPARATORS = 6;

/**
 * A topic whose name differs only in `.` and `_`. Kafka refuses a second one, since its metrics do not tell them apart.
 * Those here do, but what is written here should be able to move to a Kafka cluster.
 */
export function collidingTopic(engine: LogEngine, name: string): string | undefined {
  const separators = name.match(/[._]/g)?.length ?? 0;
  if (separators === 0) return undefined;
  if (separators > MOST_SEPARATORS) {
    return engine.topics().find((topic) => topic.name !== name && spelledAlike(topic.name) === spelledAlike(name))
      ?.name;
  }
  return spellings(name).find((other) => other !== name && engine.topic(other) !== undefined);
}

function spelledAlike(name: string): string {
  return name.replaceAll('.', '_');
}

function spellings(name: string): string[] {
  const [first = '', ...parts] = name.split(/[._]/);
  return parts.reduce((all, part) => all.flatMap((begun) => [`${begun}.${part}`, `${begun}_${part}`]), [first]);
}
