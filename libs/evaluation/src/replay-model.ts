import { openSnapshot, type Snapshot, type StagedVolume, stageVolume } from '@tickfold/log-engine';
import {
  analyticsGroup,
  headers,
  type ModelTopics,
  modelOfVolume,
  type Run,
  runSchema,
  topics,
  volumeTopics,
} from '@tickfold/market';
import { createModelProcessor, type Model } from '@tickfold/models';
import { runProcessor, type StreamClient, StreamError, type Watermark } from '@tickfold/stream';
import { inProcessClient } from '@tickfold/volumes';
import { EvaluationError } from './errors.ts';
import { tickfoldVersion } from './versions.ts';

export interface ReplayOptions {
  dataDir: string;
  /** A snapshot of the market: `market@open`. */
  from: string;
  /** Code and parameters. */
  model: Model;
  /** The volume to make. */
  into: string;
  /** Has the owner of the data folder take the finished volume in: `client.volumes.adopt`. */
  adopt(stagingId: string): Promise<void>;
  /** How much a volume may hold. Default: what the engine has. */
  volumeQuotaBytes?: number;
  signal?: AbortSignal;
  /** Ticks handled, of how many. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

export interface ReplayResult {
  volume: string;
  snapshot: { name: string; id: string };
  ticks: number;
  decisions: number;
  fills: number;
  deadLetters: number;
}

/** How a request fails that may have been done all the same. */
const unanswered: readonly string[] = ['disconnected', 'unavailable', 'closed'];

/** Volumes that others write. */
const takenVolumes = ['market', 'live', 'default'];

/**
 * Runs a model over a snapshot's ticks into a new volume: the code that runs live, without a broker. The volume appears
 * whole, when all is done; a failure or an abort leaves nothing, except where the answer to the adoption is lost: then it
 * may be there, and the error says so.
 *
 * @throws EvaluationError `target-refused`, `nothing-to-replay`, `beginning-lost`, `interrupted`
 * @throws EngineError `unknown-snapshot`, `volume-exists`, `illegal-name`, `snapshot-damaged`, `disk-full`, `volume-full`
 */
export async function replayModel(options: ReplayOptions): Promise<ReplayResult> {
  mustBeFree(options.into);
  const snapshot = await openSnapshot(options.dataDir, options.from);
  try {
    mustHoldTicks(snapshot);
    const { dataDir, into, volumeQuotaBytes } = options;
    const staged = await stageVolume(dataDir, into, volumeQuotaBytes === undefined ? {} : { volumeQuotaBytes });
    try {
      const result = await replayInto(staged, snapshot, options);
      await staged.finish();
      mustGoOn(options.signal);
      await options.adopt(staged.id).catch((error) => rethrowAdoption(error, options));
      return result;
    } finally {
      await staged.discard();
    }
  } finally {
    await snapshot.close();
  }
}

/** @throws EvaluationError `target-refused` */
function mustBeFree(into: string): void {
  if (!takenVolumes.includes(into) && modelOfVolume(into) === undefined) return;
  throw new EvaluationError(
    'target-refused',
    `The volume ${into} is not for replays: its name belongs to what runs live.`,
    'Name another one that is not there yet, such as try-1.',
  );
}

/** @throws EvaluationError `nothing-to-replay` */
function mustHoldTicks(snapshot: Snapshot): void {
  const { manifest } = snapshot;
  const held = manifest.topics.find(({ name }) => name === topics.enriched);
  if (held?.partitions.some(({ start, end }) => start !== end)) return;
  throw new EvaluationError(
    'nothing-to-replay',
    held === undefined
      ? `${manifest.name} holds no ${topics.enriched}: it is no snapshot of the market.`
      : `${manifest.name} was taken before there was anything in ${topics.enriched}.`,
    'Take a snapshot of the volume market once ticks have arrived, and replay that.',
  );
}

async function replayInto(staged: StagedVolume, snapshot: Snapshot, options: ReplayOptions): Promise<ReplayResult> {
  const { model, into, signal, onProgress } = options;
  const startedAtMs = Date.now();
  const client = inProcessClient(snapshot, staged.engine);
  const names = volumeTopics(into);
  const processor = createModelProcessor(model, into);
  const inputs = await client.admin.watermarks(topics.enriched);
  const total = inputs.reduce((sum, { logStart, high }) => sum + Number(high - logStart), 0);
  const end = untilEnd(inputs, signal);
  const counts = new Map<string, number>(processor.outputTopics.map((topic) => [topic, 0]));
  const reached = new Map(inputs.map(({ partition, logStart }) => [partition, logStart]));
  let done = 0n;
  let ticks = 0;
  let deadLetters = 0;
  try {
    await runProcessor({
      client,
      group: analyticsGroup(into),
      inputTopic: topics.enriched,
      outputTopics: processor.outputTopics,
      deadLetterTopic: names.deadLetter,
      createState: processor.createState,
      handle(state, record, emit) {
        const emittedTo: string[] = [];
        processor.handle(state, record, (output) => {
          emit(output);
          emittedTo.push(output.topic);
        });
        // Only now: what a handler emits before it throws does not count.
        for (const topic of emittedTo) counts.set(topic, counts.get(topic)! + 1);
      },
      signal: end.signal,
      onProgress({ partition, handled, deadLettered, nextOffset }) {
        ticks += handled;
        deadLetters += deadLettered;
        done += nextOffset - reached.get(partition)!;
        reached.set(partition, nextOffset);
        onProgress?.({ done: Number(done), total });
        end.reached(partition, nextOffset);
      },
    });
    mustGoOn(signal);
    await mustBeWhole(client, names);
    await writeRun(client, names.runs, runOf(model, snapshot, startedAtMs));
    return {
      volume: into,
      snapshot: { name: snapshot.manifest.name, id: snapshot.manifest.id },
      ticks,
      decisions: counts.get(names.decisions) ?? 0,
      fills: counts.get(names.fills) ?? 0,
      deadLetters,
    };
  } finally {
    end.forget();
    await client.close();
  }
}

/** A signal that is aborted when every partition is handled, or the caller's is aborted. */
function untilEnd(inputs: Watermark[], signal: AbortSignal | undefined) {
  const controller = new AbortController();
  const stop = () => controller.abort();
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  const ends = new Map(inputs.filter(({ logStart, high }) => logStart < high).map((one) => [one.partition, one.high]));
  return {
    signal: controller.signal,
    reached(partition: number, nextOffset: bigint): void {
      if (nextOffset >= (ends.get(partition) ?? 0n)) ends.delete(partition);
      if (ends.size === 0) stop();
    },
    forget: () => signal?.removeEventListener('abort', stop),
  };
}

/** @throws EvaluationError `interrupted` */
function mustGoOn(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new EvaluationError('interrupted', 'The replay was stopped; it has left nothing.', 'Start it again.');
}

/** A connection that ends before the answer leaves it open what became of the request. @throws EvaluationError `interrupted` */
function rethrowAdoption(cause: unknown, { into, signal }: ReplayOptions): never {
  if (!(cause instanceof StreamError) || !unanswered.includes(cause.code)) throw cause;
  throw new EvaluationError(
    'interrupted',
    signal?.aborted
      ? `The replay was stopped while the volume ${into} was taken in: it may be there.`
      : `Whether the volume ${into} was taken in is not known, so it may be there: ${cause.message}.`,
    'npx tickfold volume list shows it; where it is not there, start the replay again.',
    { cause },
  );
}

/** @throws EvaluationError `beginning-lost` where the quota of a volume is too small for what the model writes */
async function mustBeWhole(client: StreamClient, names: ModelTopics): Promise<void> {
  for (const topic of [names.decisions, names.fills, names.equity, names.deadLetter]) {
    for (const { partition, logStart } of await client.admin.watermarks(topic)) {
      if (logStart === 0n) continue;
      throw new EvaluationError(
        'beginning-lost',
        `The replay outgrew the quota of a volume: the first ${logStart} records of ${topic}, partition ${partition}, are gone.`,
        'Raise VOLUME_QUOTA_BYTES, or replay a snapshot with fewer ticks.',
      );
    }
  }
}

function runOf(model: Model, { manifest }: Snapshot, startedAtMs: number): Run {
  return {
    app: 'replay',
    code: model.name,
    parameters: JSON.stringify(model.parameters),
    input: manifest.name,
    inputId: manifest.id,
    history: null,
    tickfoldVersion,
    nodeVersion: process.versions.node,
    startedAtMs,
  };
}

async function writeRun(client: StreamClient, topic: string, run: Run): Promise<void> {
  await client.admin.ensureTopics([{ name: topic, partitionCount: 1 }]);
  const producer = client.producer();
  const value = runSchema.encode(run);
  await producer.send({
    topic,
    partition: 0,
    key: null,
    value,
    timestampMs: run.startedAtMs,
    headers: { [headers.schema]: runSchema.id },
  });
  await producer.flush();
  await producer.close();
}
