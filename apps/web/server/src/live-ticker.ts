import type { FrameMaker } from './dashboard-state.ts';
import type { LiveHub } from './live-hub.ts';

const FRAME_MS = 250;
const SPARKLINE_EVERY_FRAMES = 8;
const HEARTBEAT_EVERY_FRAMES = 60;

/** Sends what changed, four times a second. Ends when the returned function is called. */
export function startLiveTicker(frames: FrameMaker, hub: LiveHub): () => void {
  let frame = 0;
  const timer = setInterval(() => {
    frame += 1;
    if (hub.clientCount === 0) return;
    hub.broadcast(frames.changes({ withSparklines: frame % SPARKLINE_EVERY_FRAMES === 0 }));
    if (frame % HEARTBEAT_EVERY_FRAMES === 0) hub.heartbeat();
  }, FRAME_MS);
  return () => clearInterval(timer);
}
