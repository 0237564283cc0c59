import type { RecordView, StreamClient, Watermark } from './api.ts';
import { StreamError } from './errors.ts';
import { processorHeaders } from './processor-headers.ts';

/** Nothing was written yet: every input record has its output still to come. */
export const NOTHING_WRITTEN = -1n;

/** Per output topic, the offset of the last input record of one partition whose output the log holds. */
export type ResumePoints = ReadonlyMap<string, bigint>;

export interface OutputOwner {
  client: StreamClient;
  group: string;
  inputTopic: string;
  outputTopics: readonly string[];
  deadLetterTopic: string;
}

/**
 * Reads from the outputs themselves how far a partition got before the last run ended, however it ended.
 * @throws StreamError `foreign-output`, `output-ahead`
 */
export async function resumePoints(owner: OutputOwner, input: Watermark): Promise<ResumePoints> {
  const { client, outputTopics, deadLetterTopic } = owner;
  const { partition } = input;
  const points = new Map<string, bigint>();
  for (const topic of outputTopics) {
    const last = await client.lastRecord(topic, partition);
    points.set(topic, last === undefined ? NOTHING_WRITTEN : inputOffsetOf(last));
  }
  const lastDeadLetter = await ownLastDeadLetter(owner, partition);
  points.set(deadLetterTopic, lastDeadLetter === undefined ? NOTHING_WRITTEN : inputOffsetOf(lastDeadLetter));
  for (const [topic, point] of points) {
    if (point < input.high) continue;
    throw new StreamError(
      'output-ahead',
      `'${topic}' partition ${partition} was made from offset ${point} of '${owner.inputTopic}', which ends before ${input.high}`,
    );
  }
  return points;
}

/** Apps of a volume share its dead-letter topic, so the last record may be another's: then all are looked through. */
async function ownLastDeadLetter(owner: OutputOwner, partition: number): Promise<RecordView | undefined> {
  const { client, deadLetterTopic: topic, group } = owner;
  const isOwn = (record: RecordView) => record.header(processorHeaders.app) === group;
  const last = await client.lastRecord(topic, partition);
  if (last === undefined || isOwn(last)) return last;
  let ownLast: RecordView | undefined;
  for await (const chunk of client.consumer({ assignments: [{ topic, partition }] })) {
    for (const record of chunk.records()) if (isOwn(record)) ownLast = record;
    if (chunk.nextOffset > last.offset) break;
  }
  return ownLast;
}

function inputOffsetOf(output: RecordView): bigint {
  const text = output.header(processorHeaders.input);
  if (text !== undefined && /^\d{1,19}$/.test(text)) return BigInt(text);
  const told = text === undefined ? `has no header '${processorHeaders.input}'` : `has the header input=${text}`;
  throw new StreamError(
    'foreign-output',
    `offset ${output.offset} of '${output.topic}' partition ${output.partition} ${told}: no processor wrote it`,
  );
}
