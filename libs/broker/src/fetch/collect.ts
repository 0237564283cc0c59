import { type apis, errorCodes, type ResponseOf } from '@tickfold/kafka-protocol';
import type { Isolation, PartitionLog, ReadResult } from '@tickfold/log-engine';
import { kafkaErrorOf } from '../engine-errors.ts';
import { visibleEnd } from '../isolation.ts';
import type { Followed, Following } from './following.ts';

export type PartitionAnswer = ResponseOf<typeof apis.fetch>['topics'][number]['partitions'][number];

/** A client that asks for more than a byte wants fewer, larger responses: how long to let data gather for it. */
const GATHER_MS = 5;

export interface Wish {
  /** As `PartitionLog.read`. */
  read(log: PartitionLog, offset: bigint, maxBytes: number, isolation: Isolation): Promise<ReadResult>;
  minBytes: number;
  maxBytes: number;
  maxWaitMs: number;
  isolation: Isolation;
  signal: AbortSignal;
}

/** What is to be answered of the partitions that were looked at. */
export class Findings {
  readonly answers = new Map<Followed, PartitionAnswer>();
  bytes = 0;
  /** There is an error, or more data than fits: nothing that comes by waiting can make the answer better. */
  isUrgent = false;
}

/**
 * Reads what is new in the partitions that are followed, and waits for more while that is less than was wished for.
 */
export async function collect(following: Following, wish: Wish): Promise<Findings> {
  const found = new Findings();
  const deadlineMs = performance.now() + wish.maxWaitMs;
  for (;;) {
    await readMoved(following, found, wish);
    const waitMs = deadlineMs - performance.now();
    if (found.bytes >= wish.minBytes || found.isUrgent || waitMs <= 0 || wish.signal.aborted) break;
    following.watch(wish.isolation);
    await following.news({ waitMs, gatherMs: wish.minBytes > 1 ? GATHER_MS : 0, signal: wish.signal });
  }
  // Whether or not the client takes what it is given, there may be more.
  for (const [followed, { errorCode, records }] of found.answers) {
    if (records.length > 0 || errorCode !== errorCodes.NONE) following.lookAgain([followed]);
  }
  return found;
}

/** The first one with data gives a batch at least, however large. */
async function readMoved(following: Following, found: Findings, wish: Wish): Promise<void> {
  const { maxBytes, isolation } = wish;
  const moved = following.takeMoved();
  for (const [at, followed] of moved.entries()) {
    const answeredBytes = bytesOf(found.answers.get(followed)?.records ?? []);
    const othersBytes = found.bytes - answeredBytes;
    if (othersBytes > 0 && othersBytes >= maxBytes) {
      following.lookAgain(moved.slice(at));
      found.isUrgent = true;
      return;
    }
    let answer = answerWithoutRecords(following, followed, isolation);
    if (hasNews(followed, isolation)) {
      const read = await readRecords(followed, followed.log, answer, maxBytes - othersBytes, wish);
      const bytes = bytesOf(read.records);
      if (othersBytes === 0 || othersBytes + bytes <= maxBytes) {
        answer = read;
        found.bytes = othersBytes + bytes;
      } else {
        following.lookAgain([followed]);
        found.isUrgent = true;
        if (answeredBytes > 0) continue;
      }
    }
    found.answers.set(followed, answer);
    found.isUrgent ||= answer.errorCode !== errorCodes.NONE;
  }
}

/** Where a partition ends, or that it is not there. */
export function answerWithoutRecords(following: Following, followed: Followed, isolation: Isolation): PartitionAnswer {
  const errorCode = following.find(followed);
  const { log } = followed;
  const ends = {
    highWatermark: log?.highWatermark ?? -1n,
    lastStableOffset: log?.lastStableOffset ?? -1n,
    logStartOffset: log?.logStartOffset ?? -1n,
  };
  followed.seen = ends;
  return {
    index: followed.index,
    errorCode,
    ...ends,
    abortedTransactions: isolation === 'committed' ? [] : null,
    preferredReadReplica: -1,
    records: [],
  };
}

/** Records, or that the offset lies outside of the log. */
function hasNews(followed: Followed, isolation: Isolation): followed is Followed & { log: PartitionLog } {
  const { log, offset } = followed;
  if (log === undefined) return false;
  const isBehindTheEnd = offset >= visibleEnd(log, isolation) && offset <= log.logEndOffset;
  return !isBehindTheEnd;
}

async function readRecords(
  followed: Followed,
  log: PartitionLog,
  nothing: PartitionAnswer,
  bytesLeft: number,
  { read, isolation }: Wish,
): Promise<PartitionAnswer> {
  try {
    const maxBytes = Math.max(0, Math.min(followed.maxBytes, bytesLeft));
    const { batches, abortedTransactions, ...ends } = await read(log, followed.offset, maxBytes, isolation);
    followed.seen = ends;
    const aborted = isolation === 'committed' ? abortedTransactions : null;
    return { ...nothing, ...ends, records: batches, abortedTransactions: aborted };
  } catch (error) {
    return { ...nothing, errorCode: kafkaErrorOf(error).errorCode };
  }
}

function bytesOf(records: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const batch of records) bytes += batch.length;
  return bytes;
}
