import type { Problem } from '../contract.ts';

/** What the server answered, or its problem's own words. @throws Error for people to read */
export function fetchJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask<T>(path, signal ? { signal } : {});
}

/** @throws Error for people to read */
export function postJson<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const request: RequestInit = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  return ask<T>(path, signal ? { ...request, signal } : request);
}

/** Arrives even where the page is left meanwhile. @throws Error for people to read */
export function deleteJson<T>(path: string): Promise<T> {
  return ask<T>(path, { method: 'DELETE', keepalive: true });
}

/** The server did not answer at all, which passes; a problem that it told does not. */
export class NoAnswerError extends Error {
  constructor() {
    super('The web app does not answer. It is restarted by itself: try again in some seconds.');
    this.name = 'NoAnswerError';
  }
}

async function ask<T>(path: string, request: RequestInit): Promise<T> {
  const response = await fetch(path, request).catch((error: Error) => {
    throw request.signal?.aborted ? error : new NoAnswerError();
  });
  if (response.ok) return (await response.json()) as T;
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') ?? false;
  throw new Error(isProblem ? ((await response.json()) as Problem).detail : `The server answered ${response.status}.`);
}
