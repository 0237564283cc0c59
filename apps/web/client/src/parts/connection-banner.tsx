import type { Overview } from '../contract.ts';
import type { Connection } from '../live/live-state.ts';
import { bannerText } from './banner-text.ts';

/** One line for whatever keeps the page from moving; spoken when it appears, silent otherwise. */
export function ConnectionBanner({ connection, overview }: { connection: Connection; overview: Overview | null }) {
  const message = bannerText(connection, overview);
  return (
    <div className="banner-place" role="status" data-testid="banner">
      {message !== null && <p className={`banner banner-${message.kind}`}>{message.text}</p>}
    </div>
  );
}
