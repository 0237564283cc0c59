import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { nowMs } from './children.ts';

/** Timers of Node.js count whole milliseconds, and come up to one late: what is to be measured is shorter than that. */
const SELF = fileURLToPath(import.meta.url);

/**
 * Calls `onBeat` on time, every millisecond from `fromMs` on, for as many as there are. After a stall the beats that it held up
 * come at once.
 */
export function everyMillisecond(fromMs: number, beats: number, onBeat: (beat: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(SELF, { workerData: { fromMs, beats } });
    worker.on('message', onBeat);
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}

if (!isMainThread) {
  const { fromMs, beats } = workerData as { fromMs: number; beats: number };
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  for (let beat = 0; beat < beats; beat++) {
    const waitMs = fromMs + beat - nowMs();
    if (waitMs > 0) Atomics.wait(nothing, 0, 0, waitMs);
    parentPort!.postMessage(beat);
  }
}
