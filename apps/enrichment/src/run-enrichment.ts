import { tickfoldVersion } from '@tickfold/app-runtime';
import { groups, MARKET_PARTITIONS, runRecord, topics } from '@tickfold/market';
import { type ProcessorCommit, runProcessor, type StreamClient } from '@tickfold/stream';
import { enrichRecord } from './enrich-record.ts';
import { createEnricher, FEATURES_VERSION } from './enricher.ts';
import { sessionDateOfLog } from './first-tick.ts';
import type { HistoricReferences } from './references.ts';

/** What has been enriched since the log's start, and how far it is behind. */
export interface Progress {
  sessionDate: string;
  ticks: number;
  /** Ticks of symbols that history does not know. */
  ticksWithoutHistory: number;
  symbolsWithoutHistory: number;
  /** Ticks not handled yet, of all partitions seen. */
  lag: number;
  /** True while the state of some partition is rebuilt from the log. */
  refolding: boolean;
}

/** Enriches `market.ticks` into `market.enriched` until the signal is aborted. */
export async function runEnrichment(options: {
  client: StreamClient;
  /** What history knows of each symbol before a session, given by its New York date. */
  readReferences: (sessionDate: string) => Promise<HistoricReferences>;
  /** Which of the processes that share the work this one is (`INSTANCE`). */
  instanceId?: string;
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
  onCommit?: (commit: ProcessorCommit) => void;
}): Promise<void> {
  const { client, readReferences, signal, onProgress } = options;
  await client.admin.ensureTopics([{ name: topics.ticks, partitionCount: MARKET_PARTITIONS }]);
  const sessionDate = await sessionDateOfLog(client, signal);
  if (sessionDate === undefined) return;
  const { references, historyIdentity } = await readReferences(sessionDate);
  const enricher = createEnricher(references);

  const progress: Progress = {
    sessionDate,
    ticks: 0,
    ticksWithoutHistory: 0,
    symbolsWithoutHistory: 0,
    lag: 0,
    refolding: false,
  };
  const unknownSymbols = new Set<string>();
  const partitions = new Map<number, { lag: number; refolding: boolean }>();
  const report = () => {
    const all = [...partitions.values()];
    progress.lag = all.reduce((sum, { lag }) => sum + lag, 0);
    progress.refolding = all.some((one) => one.refolding);
    progress.symbolsWithoutHistory = unknownSymbols.size;
    onProgress(progress);
  };
  await recordRun(client, historyIdentity);
  await runProcessor({
    client,
    group: groups.enrichment,
    inputTopic: topics.ticks,
    outputTopics: [topics.enriched],
    deadLetterTopic: topics.marketDeadLetter,
    createState: enricher.createState,
    ...(options.instanceId !== undefined && { instanceId: options.instanceId }),
    ...(options.onCommit !== undefined && { onCommit: options.onCommit }),
    signal,
    handle(state, record, emit) {
      const { symbol } = enrichRecord(enricher, state, record, emit);
      progress.ticks++;
      if (enricher.hasHistory(symbol)) return;
      progress.ticksWithoutHistory++;
      unknownSymbols.add(symbol);
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

/** Says in the market's volume which code enriches it from now on, from which history. */
async function recordRun(client: StreamClient, history: string | null): Promise<void> {
  await client.admin.ensureTopics([{ name: topics.marketRuns, partitionCount: 1 }]);
  const producer = client.producer();
  producer.send(
    runRecord(topics.marketRuns, {
      app: 'enrichment',
      code: FEATURES_VERSION,
      parameters: '{}',
      input: topics.ticks,
      inputId: null,
      history,
      tickfoldVersion,
      nodeVersion: process.versions.node,
      startedAtMs: Date.now(),
    }),
  );
  await producer.close();
}
