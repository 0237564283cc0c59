import { type App, runApp } from '@tickfold/app-runtime';
import { connect, runResumably, streamConfigFromEnv } from '@tickfold/stream';
import { Gauge } from 'prom-client';
import { modelsFromEnv } from './models-from-env.ts';
import { type Progress, runDecisions } from './run-decisions.ts';

runApp({
  name: 'decisions',
  async main(app) {
    const models = modelsFromEnv(app.env);
    const config = streamConfigFromEnv(app.env, 'decisions');
    const onProgress = progressReport(app, models);

    await runResumably({
      signal: app.signal,
      async run() {
        const client = await connect(config, app.signal);
        try {
          await runDecisions({ client, models, signal: app.signal, onProgress });
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
function progressReport(app: App, models: readonly string[]): (progress: Progress) => void {
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers: [app.metrics] });
  const decided = gauge('tickfold_live_decisions', 'Decisions in live.decisions since the start of the log');
  const behind = gauge('tickfold_decisions_lag', 'Decisions of the champion that are not in live.decisions yet');
  const answered = gauge('tickfold_promotions', 'Records of the audit stream, refusals included');
  const strange = gauge('tickfold_decisions_foreign', 'Records among decisions that no processor wrote, left out');
  const champions = new Gauge({
    name: 'tickfold_champion',
    help: '1 for the version whose decisions are in live.decisions',
    labelNames: ['model'],
    registers: [app.metrics],
  });

  return (progress) => {
    const { champion, rollsBackTo, decisions, lag, promotions, foreign } = progress;
    const runs = champion !== null && models.includes(champion);
    app.setReady(true, runs ? 'ok' : `${champion} is champion but does not run: promote one that does`);
    app.reportStatus({ champion, rollsBackTo, decisions, lag, foreign });
    decided.set(decisions);
    behind.set(lag);
    answered.set(promotions);
    strange.set(foreign);
    champions.reset();
    if (champion !== null) champions.set({ model: champion }, 1);
  };
}
