import { useEffect, useState } from 'react';
import type { Problem } from '../contract.ts';

export type Resource<T> = { state: 'loading' } | { state: 'ready'; value: T } | { state: 'failed'; reason: string };

/** What the server answered, or its problem's own words. @throws Error for people to read */
export async function fetchJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(path, signal ? { signal } : {});
  if (response.ok) return (await response.json()) as T;
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') ?? false;
  throw new Error(isProblem ? ((await response.json()) as Problem).detail : `The server answered ${response.status}.`);
}

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
