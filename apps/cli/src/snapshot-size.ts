/** Records of a topic as a snapshot holds it. Gaps that compaction or control records leave are counted too. */
export function recordsOf(topic: { partitions: { start: string; end: string }[] }): number {
  return topic.partitions.reduce((sum, { start, end }) => sum + Number(BigInt(end) - BigInt(start)), 0);
}
