import { tickfoldVersion } from '@tickfold/app-runtime';
import { groups, headers, modelTopics, runRecord, type TickKind, topics } from '@tickfold/market';
import { createModelProcessor, type Model } from '@tickfold/models';
import { type ProcessorCommit, runProcessor, type StreamClient } from '@tickfold/stream';

/** What a model has done since the log's start, and how far it is behind. */
export interface Progress {
  readonly seen: Record<TickKind, number>;
  decisions: number;
  fills: number;
  /** Enriched ticks not handled yet, of all partitions seen. */
  lag: number;
  /** True while the state of some partition is rebuilt from the log. */
  refolding: boolean;
}

/** Runs a model over `market.enriched` into the topics of its own volume, until the signal is aborted. */
export async function runModel(options: {
  client: StreamClient;
  model: Model;
  /** Which of the processes that share the work this one is (`INSTANCE`). */
  instanceId?: string;
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
  onCommit?: (commit: ProcessorCommit) => void;
}): Promise<void> {
  const { client, model, signal, onProgress } = options;
  const processor = createModelProcessor(model);
  const { decisions, fills, deadLetter } = modelTopics(model.name);
  const progress: Progress = {
    seen: { trade: 0, quote: 0, offer: 0 },
    decisions: 0,
    fills: 0,
    lag: 0,
    refolding: false,
  };
  const partitions = new Map<number, { lag: number; refolding: boolean }>();
  const report = () => {
    const all = [...partitions.values()];
    progress.lag = all.reduce((sum, { lag }) => sum + lag, 0);
    progress.refolding = all.some((one) => one.refolding);
    onProgress(progress);
  };
  await recordRun(client, model);
  await runProcessor({
    client,
    group: groups.analytics(model.name),
    inputTopic: topics.enriched,
    outputTopics: processor.outputTopics,
    deadLetterTopic: deadLetter,
    createState: processor.createState,
    ...(options.instanceId !== undefined && { instanceId: options.instanceId }),
    ...(options.onCommit !== undefined && { onCommit: options.onCommit }),
    signal,
    handle(state, record, emit) {
      processor.handle(state, record, (output) => {
        if (output.topic === decisions) progress.decisions++;
        else if (output.topic === fills) progress.fills++;
        emit(output);
      });
      progress.seen[record.header(headers.kind) as TickKind]++;
    },
    onProgress({ partition, refolding, nextOffset, highWatermark }) {
      partitions.set(partition, { lag: Number(highWatermark - nextOffset), refolding });
      report();
    },
    onPartitions() {
      partitions.clear();
      report();
    },
  });
}

/** Says in the model's own volume which code writes it from now on, with which parameters. */
async function recordRun(client: StreamClient, model: Model): Promise<void> {
  const { runs } = modelTopics(model.name);
  await client.admin.ensureTopics([{ name: runs, partitionCount: 1 }]);
  const producer = client.producer();
  producer.send(
    runRecord(runs, {
      app: 'analytics',
      code: model.name,
      parameters: JSON.stringify(model.parameters),
      input: topics.enriched,
      inputId: null,
      history: null,
      tickfoldVersion,
      nodeVersion: process.versions.node,
      startedAtMs: Date.now(),
    }),
  );
  await producer.close();
}

/** Why a model that works has nothing to do; undefined where it has. */
export function idleReason({ seen }: Progress): string | undefined {
  const offersOnly = seen.offer > 0 && seen.trade === 0 && seen.quote === 0;
  return offersOnly ? 'offers only: no trades or quotes on this feed' : undefined;
}
