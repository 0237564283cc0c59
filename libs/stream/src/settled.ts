import { setTimeout as delay } from 'node:timers/promises';
import type { StreamClient } from './api.ts';

/**
 * A predecessor that was killed may have left requests on the way into the broker. They have arrived when the outputs
 * stand still for this long. (Fencing by producer epoch will make this exact.)
 */
const SETTLE_MS = 100;
/** Other apps may write dead letters to the same topic all the time: then it never stands still. */
const MAX_SETTLE_ROUNDS = 20;

/** Resolves when what a predecessor of this process still had on its way to these topics has arrived. */
export async function untilSettled(client: StreamClient, topics: string[]): Promise<void> {
  const ends = async () => {
    const watermarks = await Promise.all(topics.map((topic) => client.admin.watermarks(topic)));
    return watermarks.flatMap((partitions) => partitions.map(({ high }) => high)).join();
  };
  let before = await ends();
  for (let round = 0; round < MAX_SETTLE_ROUNDS; round++) {
    await delay(SETTLE_MS);
    const now = await ends();
    if (now === before) return;
    before = now;
  }
}
