import type { Watermark } from '@tickfold/stream';
import { type ComparedVolume, type CompareOptions, recordCount, TopicCount, watermarksOf } from './compared-volume.ts';
import { EvaluationError } from './errors.ts';
import { RecordReader } from './record-reader.ts';
import { sameContent } from './same-content.ts';
import type { VolumeDiff } from './volume-diff.ts';

const RECORDS_PER_TURN = 2_000;

/**
 * Compares volumes that no model wrote: every topic, partition by partition, the n-th record of one with the n-th of the
 * other.
 *
 * @throws EvaluationError `beginning-lost`
 */
export async function compareByPosition(
  a: ComparedVolume,
  b: ComparedVolume,
  options: CompareOptions,
): Promise<VolumeDiff['topics']> {
  const pairs: { name: string; partition: number; a: Watermark; b: Watermark }[] = [];
  for (const name of [...new Set([...(await topicsOf(a)), ...(await topicsOf(b))])].sort()) {
    const [marksA, marksB] = [await watermarksOf(a, topicOf(a, name)), await watermarksOf(b, topicOf(b, name))];
    for (let partition = 0; partition < Math.max(marksA.length, marksB.length); partition++) {
      const none = { partition, logStart: 0n, high: 0n };
      pairs.push({ name, partition, a: marksA[partition] ?? none, b: marksB[partition] ?? none });
    }
  }

  const total = pairs.reduce((sum, pair) => sum + recordCount([pair.a, pair.b]), 0);
  let done = 0;
  const onTurn = async (records: number) => {
    done += records;
    options.onProgress?.({ done, total });
    await options.onTurn();
  };
  const counts = new Map<string, TopicCount>();
  for (const pair of pairs) {
    const count = counts.get(pair.name) ?? new TopicCount(pair.name);
    counts.set(pair.name, count);
    mustBeginTogether(a, b, pair);
    const readers = {
      a: new RecordReader(a.client, topicOf(a, pair.name), pair.a),
      b: new RecordReader(b.client, topicOf(b, pair.name), pair.b),
    };
    await countPartition(readers, { a: a.volume, b: b.volume }, count, onTurn);
  }
  return [...counts.values()].map((count) => count.counted());
}

async function countPartition(
  { a, b }: { a: RecordReader; b: RecordReader },
  volumes: { a: string; b: string },
  count: TopicCount,
  onTurn: (records: number) => Promise<void>,
): Promise<void> {
  try {
    let records = 0;
    for (;;) {
      const waits = [a.advance(), b.advance()];
      if (waits[0] !== undefined || waits[1] !== undefined) await Promise.all(waits);
      const [headA, headB] = [a.head, b.head];
      if (headA === undefined && headB === undefined) break;
      count.add(headA, headB, headA !== undefined && headB !== undefined && sameContent(headA, headB, volumes));
      records += (headA === undefined ? 0 : 1) + (headB === undefined ? 0 : 1);
      if (records >= RECORDS_PER_TURN) {
        await onTurn(records);
        records = 0;
      }
    }
    await onTurn(records);
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}

/** Topics without a dot belong to the volume `default`. */
async function topicsOf({ volume, client }: ComparedVolume): Promise<string[]> {
  const known = (await client.admin.topics()).map(({ name }) => name);
  const own = volume === 'default' ? known.filter((name) => !name.includes('.')) : [];
  return [
    ...own,
    ...known.filter((name) => name.startsWith(`${volume}.`)).map((name) => name.slice(volume.length + 1)),
  ];
}

function topicOf({ volume }: ComparedVolume, name: string): string {
  return volume === 'default' && !name.includes('.') ? name : `${volume}.${name}`;
}

function mustBeginTogether(
  a: ComparedVolume,
  b: ComparedVolume,
  pair: { name: string; partition: number; a: Watermark; b: Watermark },
): void {
  if (pair.a.logStart === pair.b.logStart) return;
  const [early, late] = pair.a.logStart < pair.b.logStart ? [a, b] : [b, a];
  throw new EvaluationError(
    'beginning-lost',
    `The first records of ${topicOf(late, pair.name)}, partition ${pair.partition}, are gone in ${late.ref}, and some of` +
      ` them are there in ${early.ref}: the volume had grown to its quota.`,
    'Compare snapshots that were taken while both were whole; VOLUME_QUOTA_BYTES sets how much a volume keeps.',
  );
}
