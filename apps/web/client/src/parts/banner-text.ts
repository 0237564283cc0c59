import type { Overview } from '../contract.ts';
import type { Connection } from '../live/live-state.ts';

/** The gravest thing that keeps the page from moving, or nothing. */
export function bannerText(
  connection: Connection,
  overview: Overview | null,
): { kind: 'warning' | 'note'; text: string } | null {
  if (connection === 'lost') {
    return { kind: 'warning', text: 'Connection lost, reconnecting. What you see is from before.' };
  }
  if (overview === null) return null;
  if (!overview.brokerConnected) {
    return { kind: 'warning', text: 'The broker does not answer. The page moves on when it is back.' };
  }
  const down = overview.services.filter(({ state }) => state === 'down').map(({ name }) => name);
  if (down.length > 0) return { kind: 'warning', text: `${down.join(', ')} is down and being restarted.` };
  if (overview.feed.offersOnly) {
    return { kind: 'note', text: 'Offers only: models idle. Without trades and quotes there is nothing to decide.' };
  }
  if (overview.feed.complete && overview.stages.every(({ lag }) => lag === 0)) {
    return { kind: 'note', text: 'Session complete. Every tick has been read; the numbers stay as they are.' };
  }
  if (overview.catchingUp)
    return { kind: 'note', text: 'Reading the log from its start: the numbers run until they reach the present.' };
  return null;
}
