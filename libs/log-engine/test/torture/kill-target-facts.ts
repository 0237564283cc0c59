/** What the process that is killed and the one that kills it know of each other. */

export const VOLUME = 'k';
export const TOPICS: readonly string[] = ['k.one', 'k.two'];
export const IDEMPOTENT_TOPIC = 'k.once';
/** Lies in another volume than the group that moves with it. */
export const COPY_TOPIC = 'l.copy';
export const GROUP = 'k.group';
export const COPY_GROUP = 'k.copied';
export const SEGMENT_BYTES = 32 * 1024;

export type Acknowledged =
  | { topic: string; lastOffset: number }
  | { copiedTo: number }
  | { snapshot: string; atLeast: number }
  | { deleting: string };

/** Every value tells where it must stand. */
export function valueAt(topic: string, offset: number): string {
  return `${topic}-${offset}`;
}
