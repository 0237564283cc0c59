import { useEffect, useState } from 'react';
import { fetchJson } from './fetch-json.ts';

export type Resource<T> = { state: 'loading' } | { state: 'ready'; value: T } | { state: 'failed'; reason: string };

/** Fetches when `path` changes, and again when `version` does (then the old value stays until the new one is there). */
export function useResource<T>(path: string | null, version: unknown = null): Resource<T> {
  const [held, setHeld] = useState<{ path: string | null; resource: Resource<T> }>({
    path: null,
    resource: { state: 'loading' },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version asks again
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    fetchJson<T>(path, stop.signal).then(
      (value) => setHeld({ path, resource: { state: 'ready', value } }),
      (error: Error) => {
        if (!stop.signal.aborted) setHeld({ path, resource: { state: 'failed', reason: error.message } });
      },
    );
    return () => stop.abort();
  }, [path, version]);
  return held.path === path ? held.resource : { state: 'loading' };
}
