import type { System } from './system.ts';

/** The replay that shows most at once: one parameter changed, into a volume that is not there yet. */
export async function replayOf(snapshot: string, system: System): Promise<string> {
  return `model replay reversion-2 --from ${snapshot} --into ${await system.freeVolumeName()} --set entrySignal=1.8`;
}
