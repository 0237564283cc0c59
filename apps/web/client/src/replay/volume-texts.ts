import type { Volume } from '../contract.ts';

/** `reversion-2, entrySignal=1.8, replayed from market@open` */
export function volumeText({ model, live, input, parametersVersion }: Volume): string {
  if (model === null) return 'Not the output of one version.';
  const origin = live ? 'runs live' : input === null ? null : `replayed from ${input}`;
  return [model, parametersVersion, origin].filter((part) => part !== null).join(', ');
}

/** What versions made comes first, the live ones before replays. */
export function inReadingOrder(volumes: readonly Volume[]): Volume[] {
  const place = ({ model, live }: Volume) => (model === null ? 2 : live ? 0 : 1);
  return [...volumes].sort((a, b) => place(a) - place(b) || (a.name < b.name ? -1 : 1));
}

/**
 * What is most likely to be compared: the last replay with what its version does live; before there is one, the two first
 * versions that run live.
 */
export function likelyPair(
  volumes: readonly Volume[],
  replayed: { model: string; volume: string } | null,
): { a: string; b: string } | null {
  const written = volumes.filter(({ model }) => model !== null);
  const b = written.find(({ name }) => name === replayed?.volume) ?? written.find(({ live }) => !live) ?? written[1];
  const a =
    written.find(({ name, live, model }) => live && model === b?.model && name !== b?.name) ??
    written.find(({ name }) => name !== b?.name);
  return a === undefined || b === undefined ? null : { a: a.name, b: b.name };
}
