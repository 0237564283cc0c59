import { useSyncExternalStore } from 'react';
import type { LiveFrame } from '../contract.ts';
import { EMPTY_STATE, type LiveState, mergeFrame } from './live-state.ts';

/** Frames come four times a second: this long without one, and the server is gone whatever the socket says. */
const SILENCE_MS = 4_000;
const RETRY_MS = 1_500;

/** The page's one connection to `/api/live`. */
class LiveStore {
  #state: LiveState = EMPTY_STATE;
  #source: EventSource | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (!this.#source) this.#connect();
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly state = (): LiveState => this.#state;

  #connect(): void {
    this.#source?.close();
    const source = new EventSource('/api/live');
    this.#source = source;
    source.onmessage = ({ data }: MessageEvent<string>) => {
      this.#update(mergeFrame(this.#state, JSON.parse(data) as LiveFrame));
      this.#expectFrame();
    };
    source.onerror = () => {
      this.#lose();
      // After an answer that is no event stream the browser gives up; after a broken connection it retries itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#connect(), RETRY_MS);
    };
  }

  #expectFrame(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#lose();
      this.#connect();
    }, SILENCE_MS);
  }

  #lose(): void {
    clearTimeout(this.#silence);
    this.#update({ ...this.#state, connection: this.#state.overview === null ? 'connecting' : 'lost' });
  }

  #update(state: LiveState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

const store = new LiveStore();

export function useLive(): LiveState {
  return useSyncExternalStore(store.subscribe, store.state);
}
