import { type App, readText, runApp } from '@tickfold/app-runtime';
import { connect, type ProcessorCommit, runResumably, streamConfigFromEnv } from '@tickfold/stream';
import { Gauge, Histogram } from 'prom-client';
import { readReferences } from './references.ts';
import { type Progress, runEnrichment } from './run-enrichment.ts';

runApp({
  name: 'enrichment',
  async main(app) {
    const config = streamConfigFromEnv(app.env, 'enrichment');
    const dataDir = readText(app.env, 'DATA_DIR', 'data/volumes');
    const instanceId = readText(app.env, 'INSTANCE', '1');
    const onProgress = progressReport(app);
    const onCommit = latencyReport(app);

    await runResumably({
      signal: app.signal,
      async run() {
        const client = await connect(config, app.signal);
        try {
          app.setReady(true, 'waiting for ticks');
          await runEnrichment({
            client,
            readReferences: (sessionDate) => readReferences(dataDir, sessionDate),
            instanceId,
            signal: app.signal,
            onProgress,
            onCommit,
          });
        } finally {
          await client.close();
        }
      },
      onInterrupted(error, nextRunInMs) {
        app.setReady(false, 'waiting for the broker');
        app.log.warn({ reason: error.message, nextRunInMs }, 'interrupted');
      },
    });
  },
});

/** Says the progress to the page, to Prometheus and, by its readiness, to the supervisor. */
function progressReport(app: App): (progress: Progress) => void {
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers: [app.metrics] });
  const enriched = gauge('tickfold_ticks_enriched', 'Ticks enriched since the start of the log');
  const withoutHistory = gauge(
    'tickfold_ticks_without_history',
    'Of these, ticks of symbols that history does not know',
  );
  const behind = gauge('tickfold_enrichment_lag', 'Ticks not handled yet');

  return (progress) => {
    app.setReady(!progress.refolding, progress.refolding ? 'rebuilding its state from the log' : 'ok');
    app.reportStatus({ ...progress });
    enriched.set(progress.ticks);
    withoutHistory.set(progress.ticksWithoutHistory);
    behind.set(progress.lag);
  };
}

function latencyReport(app: App): (commit: ProcessorCommit) => void {
  const latency = new Histogram({
    name: 'tickfold_enrichment_latency_seconds',
    help: 'From when a tick was handled to when what came of it was durable: the first of each commit',
    buckets: [0.01, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5],
    registers: [app.metrics],
  });
  return ({ latencyMs }) => latency.observe(latencyMs / 1_000);
}
