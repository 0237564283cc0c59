/** As many calls to the disk as Node.js has threads for; more would only keep a sync waiting. */
const THREADS = 4;

/**
 * Does the work on each item, a few at a time, and gives the results in the items' order. After a failure nothing more is
 * begun; it is thrown once nothing is under way any more, so that whoever clears up after it is alone.
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  atOnce = THREADS,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  let hasFailed = false;
  const lanes = Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    while (next < items.length && !hasFailed) {
      const i = next++;
      try {
        results[i] = await work(items[i]!);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  });
  const failed = (await Promise.allSettled(lanes)).find((lane) => lane.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results;
}
