import { EngineError } from './errors.ts';

const DEFAULT_VOLUME = 'default';
const MAX_TOPIC_LENGTH = 249;
const TOPIC_CHARACTERS = /^[a-zA-Z0-9._-]+$/;
/** Becomes a folder's name: lower case only, so that file systems that ignore case cannot mix two volumes up. */
const VOLUME = /^[a-z0-9][a-z0-9_-]{0,99}$/;

/** True for a name that a volume, and so its folder, may have. */
export function isVolumeName(name: string): boolean {
  return VOLUME.test(name);
}

/**
 * The volume of a topic: the text before its first dot, or `default`.
 * @throws EngineError `illegal-name`
 */
export function volumeOfTopic(topic: string): string {
  if (topic.length > MAX_TOPIC_LENGTH) {
    throw new EngineError(
      'illegal-name',
      `a topic's name may have ${MAX_TOPIC_LENGTH} characters, this one has ${topic.length}`,
    );
  }
  if (topic === '.' || topic === '..' || !TOPIC_CHARACTERS.test(topic)) {
    throw new EngineError('illegal-name', `"${topic}" is no legal topic name`);
  }
  const dot = topic.indexOf('.');
  if (dot < 0) return DEFAULT_VOLUME;
  const volume = topic.slice(0, dot);
  if (!isVolumeName(volume)) {
    throw new EngineError('illegal-name', `"${volume}", before the first dot of topic "${topic}", is no volume name`);
  }
  return volume;
}

/**
 * The volume that keeps a group's offsets: as for topics, but since Kafka lets a group have any name, whatever is no
 * volume name leads to `default`.
 */
export function volumeOfGroup(group: string): string {
  const dot = group.indexOf('.');
  const volume = dot < 0 ? DEFAULT_VOLUME : group.slice(0, dot);
  return isVolumeName(volume) ? volume : DEFAULT_VOLUME;
}
