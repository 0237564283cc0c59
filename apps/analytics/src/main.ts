import { type App, readText, runApp } from '@tickfold/app-runtime';
import { assumptions, type Model } from '@tickfold/models';
import { connect, type ProcessorCommit, runResumably, streamConfigFromEnv } from '@tickfold/stream';
import { Gauge, Histogram } from 'prom-client';
import { modelFromEnv } from './model-from-env.ts';
import { idleReason, type Progress, runModel } from './run-model.ts';

runApp({
  name: 'analytics',
  async main(app) {
    const model = modelFromEnv(app.env);
    const config = streamConfigFromEnv(app.env, `analytics-${model.name}`);
    app.reportStatus({ model: model.name, parameters: model.parameters, assumptions: assumptions(model) });
    const instanceId = readText(app.env, 'INSTANCE', '1');
    const onProgress = progressReport(app, model);
    const onCommit = latencyReport(app, model);

    await runResumably({
      signal: app.signal,
      async run() {
        const client = await connect(config, app.signal);
        try {
          app.setReady(true, 'waiting for ticks');
          await runModel({ client, model, instanceId, signal: app.signal, onProgress, onCommit });
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
function progressReport(app: App, model: Model): (progress: Progress) => void {
  const gauge = (name: string, help: string): Gauge<'model'> =>
    new Gauge({ name, help, labelNames: ['model'], registers: [app.metrics] });
  const decided = gauge('tickfold_decisions', 'Decisions since the start of the log');
  const filled = gauge('tickfold_fills', 'Paper fills since the start of the log');
  const behind = gauge('tickfold_analytics_lag', 'Enriched ticks not handled yet');

  return (progress) => {
    const { decisions, fills, lag, refolding } = progress;
    const idle = idleReason(progress) ?? null;
    app.setReady(!refolding, refolding ? 'rebuilding its state from the log' : (idle ?? 'ok'));
    app.reportStatus({ decisions, fills, lag, idle });
    decided.set({ model: model.name }, decisions);
    filled.set({ model: model.name }, fills);
    behind.set({ model: model.name }, lag);
  };
}

function latencyReport(app: App, model: Model): (commit: ProcessorCommit) => void {
  const latency = new Histogram({
    name: 'tickfold_analytics_latency_seconds',
    help: 'From when an enriched tick was handled to when what came of it was durable: the first of each commit',
    labelNames: ['model'],
    buckets: [0.01, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5],
    registers: [app.metrics],
  });
  return ({ latencyMs }) => latency.observe({ model: model.name }, latencyMs / 1_000);
}
