import { aborted, runApp } from '@tickfold/app-runtime';
import { openSource } from '@tickfold/market';
import { connect, runResumably, streamConfigFromEnv } from '@tickfold/stream';
import { ingest } from './ingest.ts';
import { Progress } from './progress.ts';
import { readSettings } from './settings.ts';

/** Reads a source and sends it to `market.ticks`; malformed lines go to `market.dead-letter`. */
runApp({
  name: 'ingest',
  main: async (app) => {
    const { env, log, signal } = app;
    const { source, options, speed, lagMax } = readSettings(env);
    const feed = await openSource(source, options);
    for (const warning of feed.warnings) log.warn({ source: feed.description }, warning);

    const progress = new Progress(app);
    progress.begin(feed, speed);
    await runResumably({
      signal,
      run: async () => {
        const client = await connect(streamConfigFromEnv(env, 'ingest'), signal);
        try {
          const complete = await ingest({
            client,
            feed,
            speed,
            lagMax,
            progress,
            signal,
            onFlowing: () => {
              app.setReady(true, 'ticks flow');
              log.info({ source: feed.description, speed }, 'ticks flow');
            },
          });
          if (!complete) return;
        } finally {
          await client.close();
        }
        progress.report({ complete: true, state: 'session complete' });
        app.setReady(true, 'session complete');
        log.info({ source: feed.description }, 'session complete');
      },
      onInterrupted: (error, nextRunInMs) => {
        app.setReady(false, error.message);
        log.warn({ nextRunInMs }, error.message);
      },
    });
    await aborted(signal);
  },
});
