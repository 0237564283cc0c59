import { describeKind, type VolumeDiff } from '@tickfold/evaluation/browser';
import { count, minuteTime, type Zone, zoneName } from '../format.ts';

/** Sums whole amounts without rounding, whatever their number. */
export function sumE4(amountsE4: readonly number[]): number {
  return Number(amountsE4.reduce((sum, amountE4) => sum + BigInt(amountE4), 0n));
}

const TOPIC_NAMES: Record<string, string> = { equity: 'equity marks', 'dead-letter': 'dead letters' };

/** A topic as a part of a sentence. */
const topicName = (topic: string): string => TOPIC_NAMES[topic] ?? topic;

/** What is behind "Equal" or "Different", in one sentence. */
export function verdictText(diff: VolumeDiff): string {
  const records = diff.topics.reduce((sum, { recordsA, recordsB }) => sum + Math.max(recordsA, recordsB), 0);
  if (records === 0) return 'Neither holds a record that could be compared.';
  const differing = diff.topics.filter((topic) => topic.differing > 0);
  if (differing.length === 0) {
    return `All ${count(records)} records are the same: key, value, headers and event time of each.`;
  }
  const parts = differing.map(({ topic, recordsA, recordsB, differing }) => {
    return `${count(differing)} of ${count(Math.max(recordsA, recordsB))} ${topicName(topic)}`;
  });
  const renamed = diff.kinds.find(({ kind }) => kind === 'label')?.count ?? 0;
  const remark = renamed === 0 ? '' : ` In ${count(renamed)} of the decisions it is ${describeKind('label')}.`;
  return `${parts.join(', ')} differ.${remark}`;
}

/** How far both were read. A live volume goes on meanwhile. */
export function rangeText({ range }: VolumeDiff): string {
  if (range.length === 0)
    return 'Every record that both held, partition by partition, the first with the first and so on.';
  const handled = sumE4(range.map(({ toInput }) => Number(toInput)));
  if (handled === 0) return 'Nothing yet: there is no enriched tick that both have handled.';
  const places = range.map(({ partition, toInput }) => `${partition}: ${count(Number(toInput))}`).join(', ');
  return `What both made of their first ${count(handled)} enriched ticks, as far as both have come (by partition ${places}).`;
}

/** `09:41 EDT in every partition`, or the minute of each where they differ. */
export function asOfText(asOf: readonly { partition: number; minuteMs: number }[], zone: Zone): string {
  const [first] = asOf;
  if (first === undefined) return 'the start: there is no mark that both have';
  const written = (minuteMs: number) => `${minuteTime(minuteMs, zone)} ${zoneName(minuteMs, zone)}`;
  if (asOf.every(({ minuteMs }) => minuteMs === first.minuteMs)) return `${written(first.minuteMs)} in every partition`;
  return asOf.map(({ partition, minuteMs }) => `${written(minuteMs)} in partition ${partition}`).join(', ');
}
