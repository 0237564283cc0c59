import { run } from './run.ts';
import { readSettings } from './settings.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Whoever asks a second time does not want to wait: what is half-made then goes when the data folder is opened next.
  process.on(signal, () => (stop.signal.aborted ? process.exit(130) : stop.abort()));
}
// `tickfold … | head`: whoever closes the pipe has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await run(process.argv.slice(2), {
  openSystem: async () => {
    const { createSystem } = await import('./running-system.ts');
    return createSystem({ ...readSettings(process.env), stderr: process.stderr, signal: stop.signal });
  },
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
});
