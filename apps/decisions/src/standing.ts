import { headers, MARKET_PARTITIONS, type Promotion, topics } from '@tickfold/market';
import { readAudit } from '@tickfold/promotion';
import { type RecordView, type StreamClient, StreamError } from '@tickfold/stream';

/** All that this app knows. It is read from what the app wrote itself, so nothing is lost with the process. */
export interface Standing {
  /** The audit stream so far. */
  promotions: Promotion[];
  /** Ids of the commands that are answered in it. */
  answered: Set<string>;
  /** Offset in `live.commands` of the first command that was not handled yet. */
  nextCommand: bigint;
  /** For each partition of `market.enriched`, the first offset that may still get a decision. */
  nextInput: bigint[];
  /** Decisions in `live.decisions`, since the start of the log. */
  decisions: number;
  /** Who wrote the last of them; for an audit stream that was lost. */
  lastModel: string | undefined;
}

/** @throws StreamError `foreign-output`, `output-ahead` */
export async function readStanding(client: StreamClient): Promise<Standing> {
  const audit = await readAudit(client);
  const promotions = audit.map(({ promotion }) => promotion);
  const lasts = await Promise.all(
    Array.from({ length: MARKET_PARTITIONS }, (_, partition) => client.lastRecord(topics.liveDecisions, partition)),
  );
  const from = promotions.findLast(({ action }) => action !== 'refused')?.fromInput ?? [];
  const nextInput = lasts.map((last, partition) => later(from[partition], last));
  await checkInputIsThere(client, nextInput);
  return {
    promotions,
    answered: new Set(promotions.flatMap(({ commandId }) => commandId ?? [])),
    nextCommand: await firstUnhandledCommand(
      client,
      audit.flatMap(({ command }) => command ?? []),
    ),
    nextInput,
    decisions: await countDecisions(client),
    lastModel: lasts.map((last) => last?.header(headers.model)).find((model) => model !== undefined),
  };
}

/** Read, not told by offsets: the ends of transactions take some too. */
async function countDecisions(client: StreamClient): Promise<number> {
  const topic = topics.liveDecisions;
  let count = 0;
  for (const { partition, logStart, high } of await client.admin.watermarks(topic)) {
    if (high === logStart) continue;
    for await (const chunk of client.consumer({ assignments: [{ topic, partition }] })) {
      for (const _ of chunk.records()) count++;
      if (chunk.nextOffset >= high) break;
    }
  }
  return count;
}

/** Offset of the enriched tick that a record answers; undefined where no processor wrote it. */
export function inputOf(record: RecordView): bigint | undefined {
  const text = record.header(headers.input);
  return text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}

/** The input after the last decision, but none before the champion's first: a quota may have removed that last decision. */
function later(from: number | undefined, last: RecordView | undefined): bigint {
  const afterLast = last === undefined ? 0n : inputOfOwn(last) + 1n;
  const first = BigInt(from ?? 0);
  return afterLast > first ? afterLast : first;
}

/** Decisions about ticks that are not there: the market's volume was removed, this one was kept. */
async function checkInputIsThere(client: StreamClient, nextInput: bigint[]): Promise<void> {
  if (!(await client.admin.topics()).some(({ name }) => name === topics.enriched)) return;
  for (const { partition, high } of await client.admin.watermarks(topics.enriched)) {
    if ((nextInput[partition] ?? 0n) <= high) continue;
    throw new StreamError(
      'output-ahead',
      `'${topics.liveDecisions}' partition ${partition} goes up to offset ${nextInput[partition]! - 1n} of ` +
        `'${topics.enriched}', which ends before ${high}`,
    );
  }
}

async function firstUnhandledCommand(client: StreamClient, answered: bigint[]): Promise<bigint> {
  const lastDeadLetter = await client.lastRecord(topics.liveDeadLetter, 0);
  if (lastDeadLetter !== undefined) answered.push(inputOfOwn(lastDeadLetter));
  const [commands] = await client.admin.watermarks(topics.promotionCommands);
  let next = commands!.logStart;
  for (const offset of answered) if (offset >= next) next = offset + 1n;
  return next;
}

function inputOfOwn(record: RecordView): bigint {
  const input = inputOf(record);
  if (input !== undefined) return input;
  throw new StreamError(
    'foreign-output',
    `offset ${record.offset} of '${record.topic}' partition ${record.partition} has no header '${headers.input}' ` +
      'with an offset: `decisions` did not write it',
  );
}
