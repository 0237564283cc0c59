import { apis, errorCodes, type RequestOf, type ResponseOf } from '@tickfold/kafka-protocol';
import type { Isolation, LogEngine, PartitionLog } from '@tickfold/log-engine';
import { findPartition, kafkaErrorOf } from '../engine-errors.ts';
import { isolationOf, visibleEnd } from '../isolation.ts';
import { type RequestContext, type Route, route } from '../route.ts';

type FetchRequest = RequestOf<typeof apis.fetch>;
type FetchResponse = ResponseOf<typeof apis.fetch>;
type PartitionAnswer = FetchResponse['topics'][number]['partitions'][number];

const NO_SESSION = 0;
/** A client that asks for more than a byte wants fewer, larger responses: how long to let data gather for it. */
const GATHER_MS = 5;

interface Wanted {
  topic: string;
  index: number;
  offset: bigint;
  maxBytes: number;
  log: PartitionLog | undefined;
  /** Why there is no log. */
  errorCode: number;
}

/** What one pass over the partitions found. */
interface Findings {
  answers: PartitionAnswer[];
  bytes: number;
  /** A partition with an error is answered without waiting. */
  failed: boolean;
}

/**
 * Reads. Every fetch is a full one: a client that asks for a fetch session is told "none" (id 0), which the protocol
 * allows and clients follow.
 */
export function fetchRoute(engine: LogEngine, limits: { fetchBytes: number }): Route {
  let turn = 0;

  const handle = async (request: FetchRequest, { signal }: RequestContext): Promise<FetchResponse> => {
    if (request.sessionId !== NO_SESSION) {
      return responseOf(errorCodes.FETCH_SESSION_ID_NOT_FOUND, []);
    }
    const wanted: Wanted[] = request.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ index, fetchOffset, partitionMaxBytes }) => ({
        topic: name,
        index,
        offset: fetchOffset,
        maxBytes: partitionMaxBytes,
        log: undefined,
        errorCode: errorCodes.NONE,
      })),
    );
    const maxBytes = Math.min(request.maxBytes, limits.fetchBytes);
    const isolation = isolationOf(request);
    const deadlineMs = performance.now() + request.maxWaitMs;

    for (;;) {
      // A topic may be deleted, or made anew, while its reader waits.
      for (const each of wanted) Object.assign(each, findPartition(engine, each.topic, each.index));
      const found = await readAll(wanted, maxBytes, turn++, isolation);
      const leftMs = deadlineMs - performance.now();
      if (found.bytes >= request.minBytes || found.failed || leftMs <= 0 || signal.aborted) {
        return responseOf(errorCodes.NONE, byTopic(wanted, found.answers));
      }
      await news(wanted, found.answers, isolation, {
        waitMs: leftMs,
        gatherMs: request.minBytes > 1 ? GATHER_MS : 0,
        signal,
      });
    }
  };

  return route(apis.fetch, handle);
}

/**
 * One pass over all partitions. The first one with data gives a batch at least. It begins with another one each time:
 * otherwise the last ones would starve when the first ones fill every response.
 */
async function readAll(
  wanted: readonly Wanted[],
  maxBytes: number,
  turn: number,
  isolation: Isolation,
): Promise<Findings> {
  const found: Findings = { answers: new Array(wanted.length), bytes: 0, failed: false };
  for (let step = 0; step < wanted.length; step++) {
    const at = (turn + step) % wanted.length;
    const answer = await readOne(wanted[at]!, maxBytes - found.bytes, found.bytes === 0, isolation);
    found.answers[at] = answer;
    for (const batch of answer.records) found.bytes += batch.length;
    found.failed ||= answer.errorCode !== errorCodes.NONE;
  }
  return found;
}

async function readOne(
  { index, offset, log, errorCode, maxBytes }: Wanted,
  bytesLeft: number,
  isFirst: boolean,
  isolation: Isolation,
): Promise<PartitionAnswer> {
  const nothing: PartitionAnswer = {
    index,
    errorCode,
    highWatermark: log?.highWatermark ?? -1n,
    lastStableOffset: log?.lastStableOffset ?? -1n,
    logStartOffset: log?.logStartOffset ?? -1n,
    abortedTransactions: isolation === 'committed' ? [] : null,
    preferredReadReplica: -1,
    records: [],
  };
  if (log === undefined) return nothing;
  const isBehindTheEnd = offset >= visibleEnd(log, isolation) && offset <= log.logEndOffset;
  if (isBehindTheEnd || (!isFirst && bytesLeft <= 0)) return nothing;
  try {
    const { batches, abortedTransactions, ...ends } = await log.read(
      offset,
      Math.max(0, Math.min(maxBytes, bytesLeft)),
      isolation,
    );
    const bytes = batches.reduce((sum, batch) => sum + batch.length, 0);
    if (!isFirst && bytes > bytesLeft) return nothing;
    const aborted = isolation === 'committed' ? abortedTransactions : null;
    return { ...nothing, ...ends, records: batches, abortedTransactions: aborted };
  } catch (error) {
    return { ...nothing, errorCode: kafkaErrorOf(error).errorCode };
  }
}

/**
 * Resolves when readers of any of the logs may see more than the answers say, or when the time is over.
 * @param gatherMs how long to let more follow on the first news
 */
function news(
  wanted: readonly Wanted[],
  answers: readonly PartitionAnswer[],
  isolation: Isolation,
  { waitMs, gatherMs, signal }: { waitMs: number; gatherMs: number; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve) => {
    const stops: (() => void)[] = [];
    const finish = (): void => {
      for (const stop of stops) stop();
      resolve();
    };
    const finishAfter = (delayMs: number): void => {
      const timer = setTimeout(finish, delayMs);
      stops.push(() => clearTimeout(timer));
    };
    let isGathering = false;
    const onVisible = (): void => {
      if (gatherMs === 0) finish();
      else if (!isGathering) finishAfter(gatherMs);
      isGathering = true;
    };

    finishAfter(waitMs);
    signal.addEventListener('abort', finish, { once: true });
    stops.push(() => signal.removeEventListener('abort', finish));
    for (const { log } of wanted) if (log !== undefined) stops.push(log.onVisible(onVisible));
    // A partition may have moved while those after it were read.
    if (
      wanted.some(
        ({ log }, at) => log !== undefined && visibleEnd(log, isolation) > visibleEnd(answers[at]!, isolation),
      )
    ) {
      onVisible();
    }
  });
}

function byTopic(wanted: readonly Wanted[], answers: readonly PartitionAnswer[]): FetchResponse['topics'] {
  const topics = new Map<string, PartitionAnswer[]>();
  wanted.forEach(({ topic }, at) => {
    const partitions = topics.get(topic);
    if (partitions === undefined) topics.set(topic, [answers[at]!]);
    else partitions.push(answers[at]!);
  });
  return [...topics].map(([name, partitions]) => ({ name, partitions }));
}

function responseOf(errorCode: number, topics: FetchResponse['topics']): FetchResponse {
  return { throttleTimeMs: 0, errorCode, sessionId: NO_SESSION, topics };
}
