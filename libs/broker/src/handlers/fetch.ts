import { apis, errorCodes, type RequestOf, type ResponseOf } from '@tickfold/kafka-protocol';
import type { Isolation, LogEngine } from '@tickfold/log-engine';
import { answerWithoutRecords, collect, type Findings, type PartitionAnswer, type Wish } from '../fetch/collect.ts';
import { type FetchSessionLimits, FetchSessions } from '../fetch/fetch-sessions.ts';
import { type Followed, Following } from '../fetch/following.ts';
import { ReadAhead } from '../fetch/read-ahead.ts';
import { isolationOf } from '../isolation.ts';
import { type RequestContext, type Route, route } from '../route.ts';

type FetchRequest = RequestOf<typeof apis.fetch>;
type FetchResponse = ResponseOf<typeof apis.fetch>;
type Answered = Iterable<[Followed, PartitionAnswer]>;

const NO_SESSION = 0;
/** Epochs of requests that name all partitions: the first one of a session, and one that is not part of any. */
const INITIAL_EPOCH = 0;
const FINAL_EPOCH = -1;

/**
 * Reads. A full fetch names all partitions and is answered for all of them; it may open a session, in which the client's
 * next requests say only what is different, and are answered only with what is new (KIP-227).
 */
export function fetchRoute(engine: LogEngine, limits: FetchSessionLimits & { fetchBytes: number }): Route {
  const sessions = new FetchSessions(limits);
  const ahead = new ReadAhead();
  let turn = 0;

  const handle = async (request: FetchRequest, { signal, onSent }: RequestContext): Promise<FetchResponse> => {
    const { minBytes, maxWaitMs } = request;
    const maxBytes = Math.min(request.maxBytes, limits.fetchBytes);
    const wish: Wish = {
      read: (...what) => ahead.read({ signal, onSent }, ...what),
      minBytes,
      maxBytes,
      maxWaitMs,
      isolation: isolationOf(request),
      signal,
    };
    const isFull = request.sessionEpoch === INITIAL_EPOCH || request.sessionEpoch === FINAL_EPOCH;
    return isFull ? fetchAll(request, wish) : fetchNews(request, wish);
  };

  const fetchAll = async (request: FetchRequest, wish: Wish): Promise<FetchResponse> => {
    sessions.end(request.sessionId);
    const following = new Following(engine);
    for (const follow of followsOf(request)) following.follow(...follow);
    // It begins with another partition each time: the last ones would starve when the first ones fill every response.
    following.lookAgain(rotated(following.takeMoved(), turn++));
    const found = await collect(following, wish);
    const answers = answersForAll(following, found, wish.isolation);
    const wantsSession = request.sessionEpoch === INITIAL_EPOCH && following.size > 0;
    const session = wantsSession ? sessions.open(following, wish.isolation, wish.signal) : undefined;
    if (session === undefined) {
      following.end();
      return responseOf(NO_SESSION, answers);
    }
    following.watch(wish.isolation);
    following.lookAtAll();
    return responseOf(session.id, told(answers));
  };

  const fetchNews = async (request: FetchRequest, wish: Wish): Promise<FetchResponse> => {
    const session = sessions.take(request.sessionId, request.sessionEpoch);
    if (typeof session === 'number') return refusal(session);
    const { following } = session;
    const formerSize = following.size;
    for (const follow of followsOf(request)) following.follow(...follow);
    for (const { name, partitions } of request.forgottenTopics) {
      for (const index of partitions) following.leave(name, index);
    }
    if (session.isolation !== wish.isolation) following.lookAtAll();
    session.isolation = wish.isolation;
    if (following.size > formerSize && !sessions.fit()) {
      sessions.end(session.id);
      return refusal(errorCodes.FETCH_SESSION_ID_NOT_FOUND);
    }
    if (following.size === 0) {
      sessions.end(session.id);
      return responseOf(NO_SESSION, []);
    }
    const found = await collect(following, wish);
    return responseOf(session.id, told([...found.answers].filter(isNews)));
  };

  return route(apis.fetch, handle);
}

function followsOf({ topics }: FetchRequest): Parameters<Following['follow']>[] {
  return topics.flatMap(({ name, partitions }) =>
    partitions.map(
      ({ index, fetchOffset, partitionMaxBytes }): Parameters<Following['follow']> => [
        name,
        index,
        fetchOffset,
        partitionMaxBytes,
      ],
    ),
  );
}

function rotated<T>(list: readonly T[], turn: number): T[] {
  const at = list.length === 0 ? 0 : turn % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

/** Also for those that nothing was read of, because others had filled the response. */
function answersForAll(following: Following, found: Findings, isolation: Isolation): [Followed, PartitionAnswer][] {
  return Array.from(following.all(), (followed) => [
    followed,
    found.answers.get(followed) ?? answerWithoutRecords(following, followed, isolation),
  ]);
}

function isNews([{ told }, answer]: [Followed, PartitionAnswer]): boolean {
  return (
    answer.records.length > 0 ||
    answer.errorCode !== errorCodes.NONE ||
    told?.highWatermark !== answer.highWatermark ||
    told.lastStableOffset !== answer.lastStableOffset ||
    told.logStartOffset !== answer.logStartOffset
  );
}

/** Takes note of what the client will know. */
function told(answers: [Followed, PartitionAnswer][]): Answered {
  for (const [followed, { errorCode, highWatermark, lastStableOffset, logStartOffset }] of answers) {
    const ends = { highWatermark, lastStableOffset, logStartOffset };
    followed.told = errorCode === errorCodes.NONE ? ends : undefined;
  }
  return answers;
}

function responseOf(sessionId: number, answers: Answered): FetchResponse {
  const topics = new Map<string, PartitionAnswer[]>();
  for (const [{ topic }, answer] of answers) {
    const partitions = topics.get(topic);
    if (partitions === undefined) topics.set(topic, [answer]);
    else partitions.push(answer);
  }
  return {
    throttleTimeMs: 0,
    errorCode: errorCodes.NONE,
    sessionId,
    topics: Array.from(topics, ([name, partitions]) => ({ name, partitions })),
  };
}

function refusal(errorCode: number): FetchResponse {
  return { throttleTimeMs: 0, errorCode, sessionId: NO_SESSION, topics: [] };
}
