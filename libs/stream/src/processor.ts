import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Consumer, ProcessorOptions, RecordChunk, StreamClient } from './api.ts';
import { StreamError } from './errors.ts';
import { PartitionFold } from './partition-fold.ts';
import { stateTopic } from './state-checkpoints.ts';
import { untilPassedOrAborted } from './wait.ts';

const TOPIC_POLL_MS = 250;
const DEFAULT_COMMIT_EVERY_MS = 100;

/**
 * Folds the input topic into the output topics until the signal is aborted; waits where the input topic is still
 * missing. For each input partition, output, cursor and state are committed in one transaction: whatever dies and when,
 * every input record counts once. The next run takes the last state that was kept, folds the input from there to the
 * cursor once more with its output held back, and goes on.
 *
 * A run shuts out those before it that still live: they end with `fenced`.
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

  const folds: PartitionFold<State>[] = [];
  let consumer: Consumer | undefined;
  const stop = (): void => void consumer?.close();
  try {
    for (let partition = 0; partition < partitionCount; partition++) {
      folds.push(await PartitionFold.open(options, partition));
    }
    consumer = client.consumer({ assignments: folds.map((fold) => fold.start) });
    signal.addEventListener('abort', stop);
    if (!signal.aborted) await foldAll(options, folds, consumer);
    await Promise.all(folds.map((fold) => fold.commit()));
  } finally {
    signal.removeEventListener('abort', stop);
    await consumer?.close();
    await Promise.all(folds.map((fold) => fold.close()));
  }
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
  folds: readonly PartitionFold<State>[],
  consumer: Consumer,
): Promise<void> {
  const commitEveryMs = options.commitEveryMs ?? DEFAULT_COMMIT_EVERY_MS;
  const chunks = consumer[Symbol.asyncIterator]();
  let next = chunks.next();
  let committedAtMs = performance.now();
  const commit = async (): Promise<void> => {
    await Promise.all(folds.map((fold) => fold.commit()));
    committedAtMs = performance.now();
  };
  for (;;) {
    const isDirty = folds.some((fold) => fold.isDirty);
    const dueInMs = committedAtMs + commitEveryMs - performance.now();
    if (isDirty && dueInMs <= 0) {
      await commit();
      continue;
    }
    const result = await (isDirty ? unlessPassed(next, dueInMs) : next);
    if (result === undefined) continue;
    if (result.done) return;
    await foldChunk(options, folds[result.value.partition]!, result.value);
    next = chunks.next();
    // Whoever waits for it later is told.
    next.catch(() => {});
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

async function foldChunk<State>(
  options: ProcessorOptions<State>,
  fold: PartitionFold<State>,
  chunk: RecordChunk,
): Promise<void> {
  const { handled, emitted, deadLettered } = await fold.run(chunk);
  options.onProgress?.({
    partition: chunk.partition,
    handled,
    emitted,
    deadLettered,
    refolding: fold.isRefolding,
    nextOffset: fold.nextOffset,
    highWatermark: chunk.highWatermark,
  });
}
