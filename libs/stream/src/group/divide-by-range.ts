export interface Subscriber {
  memberId: string;
  topics: readonly string[];
}

/** The name under which clients of every make know this division. */
export const RANGE = 'range';

/**
 * Gives each member neighbouring partitions, topic by topic: the first members, by name, get one more where it does not
 * come out even. Topics with equally many partitions are divided alike, so equal keys meet at the same member.
 * @returns by member, partitions by topic; a member without any has none in it
 */
export function divideByRange(
  members: readonly Subscriber[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, Map<string, number[]>> {
  const divided = new Map(members.map(({ memberId }) => [memberId, new Map<string, number[]>()]));
  for (const [topic, partitionCount] of partitionCounts) {
    const readers = members
      .filter(({ topics }) => topics.includes(topic))
      .map(({ memberId }) => memberId)
      .sort();
    let next = 0;
    readers.forEach((memberId, i) => {
      const share = Math.floor(partitionCount / readers.length) + (i < partitionCount % readers.length ? 1 : 0);
      if (share > 0)
        divided.get(memberId)!.set(
          topic,
          Array.from({ length: share }, (_, n) => next + n),
        );
      next += share;
    });
  }
  return divided;
}
