import { EngineError } from './errors.ts';

const DEFAULT_VOLUME = 'default';
const MAX_TOPIC_LENGTH = 249;
const TOPIC_CHARACTERS = /^[a-zA-Z0-9._-]+$/;
/** Becomes a folder's name: lower case only, so that file systems that ignore case cannot mix two volumes up. */
const VOLUME = /^[a-z0-9][a-z0-9_-]{0,99}$/;

const SNAPSHOT_LABEL = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const MEND_VOLUME_NAME = 'Name it with a-z 0-9 _ - in lower case, beginning with a letter or digit, at most 100.';
const MEND_SNAPSHOT_NAME =
  'Name it VOLUME@NAME, NAME with A-Z a-z 0-9 _ -, beginning with a letter or digit, at most 64: market@open.';

/** True for a name that a volume, and so its folder, may have. */
export function isVolumeName(name: string): boolean {
  return VOLUME.test(name);
}

/** @throws EngineError `illegal-name` */
export function checkVolumeName(name: string): void {
  if (isVolumeName(name)) return;
  throw new EngineError('illegal-name', `"${name}" is no volume name`, { mend: MEND_VOLUME_NAME });
}

/** True for `market@open`: a volume, and a name that becomes a folder's together with it. */
export function isSnapshotName(name: string): boolean {
  const at = name.indexOf('@');
  return at > 0 && isVolumeName(name.slice(0, at)) && SNAPSHOT_LABEL.test(name.slice(at + 1));
}

/**
 * The volume of a snapshot: the text before its `@`.
 * @throws EngineError `illegal-name`
 */
export function volumeOfSnapshot(name: string): string {
  if (!isSnapshotName(name)) {
    throw new EngineError('illegal-name', `"${name}" is no snapshot name`, { mend: MEND_SNAPSHOT_NAME });
  }
  return name.slice(0, name.indexOf('@'));
}

/**
 * The volume of a topic: the text before its first dot. Without a dot, or where that text is no volume name (Kafka lets
 * topics have it all the same), it is `default`.
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
  return volumeOfName(topic);
}

/** The volume that keeps a group's offsets: as for topics, but Kafka lets a group have any name. */
export function volumeOfGroup(group: string): string {
  return volumeOfName(group);
}

/** Where a topic of this name would lie, legal or not: for looking one up. */
export function volumeOfName(name: string): string {
  const dot = name.indexOf('.');
  const volume = dot < 0 ? DEFAULT_VOLUME : name.slice(0, dot);
  return isVolumeName(volume) ? volume : DEFAULT_VOLUME;
}
