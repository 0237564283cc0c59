import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GroupConsumer, ProcessorOptions, RecordChunk, RecordView, StreamClient } from './api.ts';
import { StreamError } from './errors.ts';
import { FoldedShare } from './folded-share.ts';
import type { PartitionFold } from './partition-fold.ts';
import { stateTopic } from './state-checkpoints.ts';
import { untilPassedOrAborted } from './wait.ts';

const TOPIC_POLL_MS = 250;
const DEFAULT_COMMIT_EVERY_MS = 100;
const DEFAULT_INSTANCE = '1';

/**
 * Folds the input topic into the output topics until the signal is aborted; waits where the input topic is still
 * missing. Instances of one group share the partitions of the input as they come and go. For each partition, output,
 * cursor and state are committed in one transaction: whatever dies and when, every input record counts once. Who goes on
 * with a partition takes the last state that was kept, folds the input from there to the cursor once more with its output
 * held back, and goes on.
 *
 * A run takes the place of a former one of the same `instanceId` that still lives: that one ends with `fenced`.
 *
 * A handler that throws sends its record to the dead letters; what it emitted for it is dropped. It must throw before it
 * changes its state, or leave the state as it was: the fold goes on with it.
 *
 * @throws StreamError `disconnected` and other passing ones (see `runResumably`), `fenced`, `output-ahead`,
 * `handler-contract`, `rejected`
 */
export async function runProcessor<State>(options: ProcessorOptions<State>): Promise<void> {
  const { client, inputTopic, signal } = options;
  checkVolumes(options);
  const partitionCount = await untilTopicExists(client, inputTopic, signal);
  if (partitionCount === undefined) return;
  await makeTopics(options, partitionCount);
  if (signal.aborted) return;

  const share = new FoldedShare(options);
  const consumer = consumerFor(options, share);
  const chunks = consumer[Symbol.asyncIterator]();
  const stop = (): void => void consumer.close();
  signal.addEventListener('abort', stop);
  try {
    await foldAll(options, share, chunks);
  } catch (error) {
    // First of all: leaving the group must not commit what was folded half.
    await share.drop();
    throw await explained(error, consumer);
  } finally {
    signal.removeEventListener('abort', stop);
    await consumer.close();
    await chunks.return?.();
  }
}

function consumerFor<State>(options: ProcessorOptions<State>, share: FoldedShare<State>): GroupConsumer {
  const { client, group, inputTopic, instanceId = DEFAULT_INSTANCE, sessionTimeoutMs } = options;
  return client.groupConsumer({
    group,
    topics: [inputTopic],
    instanceId,
    ...(sessionTimeoutMs !== undefined && { sessionTimeoutMs }),
    onAssigned: (places) => share.take(places.map(({ partition }) => partition)),
    onRevoked: () => share.giveUp(),
    onLost: () => share.drop(),
  });
}

/** Who was shut out of a partition is told why: the group went on without it, or another process took its name. */
async function explained(error: unknown, consumer: GroupConsumer): Promise<unknown> {
  if (!(error instanceof StreamError) || error.code !== 'fenced') return error;
  return consumer.confirm().then(
    () => error,
    (reason: unknown) => reason,
  );
}

/** What belongs together lies in one volume: so it is frozen, moved and deleted together. */
function checkVolumes<State>({ group, outputTopics, deadLetterTopic }: ProcessorOptions<State>): void {
  const volume = group.slice(0, group.indexOf('.') + 1);
  const stranger = [...outputTopics, deadLetterTopic].find((topic) => !topic.startsWith(volume));
  if (volume !== '' && stranger === undefined) return;
  throw new StreamError(
    'handler-contract',
    `group '${group}' cannot write to '${stranger ?? outputTopics[0]}': its outputs begin with its own volume, '${volume || '<volume>.'}'`,
    { mend: 'Name group and outputs <volume>.<name>, with the same volume.' },
  );
}

/** Partition count of the topic, or undefined when the signal came first. */
async function untilTopicExists(client: StreamClient, name: string, signal: AbortSignal): Promise<number | undefined> {
  while (!signal.aborted) {
    const topic = (await client.admin.topics()).find((candidate) => candidate.name === name);
    if (topic !== undefined) return topic.partitionCount;
    await untilPassedOrAborted(TOPIC_POLL_MS, signal);
  }
  return undefined;
}

async function makeTopics<State>(options: ProcessorOptions<State>, partitionCount: number): Promise<void> {
  const { client, group, outputTopics, deadLetterTopic, checkpoint } = options;
  const outputs = [...new Set([...outputTopics, deadLetterTopic])].map((name) => ({ name, partitionCount }));
  const states = checkpoint === undefined ? [] : [stateTopic(group, partitionCount)];
  await client.admin.ensureTopics([...outputs, ...states]);
}

async function foldAll<State>(
  options: ProcessorOptions<State>,
  share: FoldedShare<State>,
  chunks: AsyncIterator<RecordChunk>,
): Promise<void> {
  const commitEveryMs = options.commitEveryMs ?? DEFAULT_COMMIT_EVERY_MS;
  const nextChunk = () => {
    const coming = chunks.next();
    // Whoever waits for it later is told.
    coming.catch(() => {});
    return coming;
  };
  let next = nextChunk();
  let committedAtMs = performance.now();
  let dirtySinceMs = committedAtMs;
  const commit = async () => {
    const startedMs = performance.now();
    const { isDirty } = share;
    await share.commit();
    committedAtMs = performance.now();
    // While it folds again there is nothing to commit.
    if (isDirty) options.onCommit?.({ latencyMs: committedAtMs - dirtySinceMs, commitMs: committedAtMs - startedMs });
    dirtySinceMs = committedAtMs;
  };
  for (;;) {
    const { isDirty } = share;
    const dueInMs = committedAtMs + commitEveryMs - performance.now();
    if (isDirty && dueInMs <= 0) {
      await commit();
      continue;
    }
    const result = await (isDirty ? unlessPassed(next, dueInMs) : next);
    if (result === undefined) continue;
    if (result.done) return;
    if (!share.isDirty) dirtySinceMs = performance.now();
    const chunk = result.value;
    const fold = share.fold(chunk.partition);
    const records = chunk.records()[Symbol.iterator]();
    // A slow handler takes longer for a chunk than a commit may wait.
    while (!(await foldOn(options, fold, chunk, records, committedAtMs + commitEveryMs)) && !options.signal.aborted) {
      await commit();
    }
    next = nextChunk();
    await nextTurn();
  }
}

/** What comes first: the chunk, or undefined when so much time has passed. */
async function unlessPassed<T>(next: Promise<T>, waitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), waitMs);
  });
  try {
    return await Promise.race([next, passed]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves with whether the chunk came to its end. */
async function foldOn<State>(
  options: ProcessorOptions<State>,
  fold: PartitionFold<State>,
  chunk: RecordChunk,
  records: Iterator<RecordView>,
  commitAtMs: number,
): Promise<boolean> {
  const { handled, emitted, deadLettered, isWhole } = await fold.run(chunk, records, commitAtMs);
  options.onProgress?.({
    partition: chunk.partition,
    handled,
    emitted,
    deadLettered,
    refolding: fold.isRefolding,
    nextOffset: fold.nextOffset,
    highWatermark: chunk.highWatermark,
  });
  return isWhole;
}
