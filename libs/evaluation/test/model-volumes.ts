import { analyticsGroup, topics, volumeTopics } from '@tickfold/market';
import { createModelProcessor, type Model } from '@tickfold/models';
import { runProcessor, type StreamClient } from '@tickfold/stream';

/** Runs a model over `market.enriched` into a volume until all of it is handled, as the live app does. */
export async function runModelInto(client: StreamClient, model: Model, volume: string): Promise<void> {
  const processor = createModelProcessor(model, volume);
  const inputs = await client.admin.watermarks(topics.enriched);
  const unfinished = new Set(inputs.filter(({ high }) => high > 0n).map(({ partition }) => partition));
  const done = new AbortController();
  await runProcessor({
    client,
    group: analyticsGroup(volume),
    inputTopic: topics.enriched,
    outputTopics: processor.outputTopics,
    deadLetterTopic: volumeTopics(volume).deadLetter,
    createState: processor.createState,
    handle: processor.handle,
    signal: done.signal,
    onProgress({ partition, nextOffset }) {
      if (nextOffset >= inputs[partition]!.high) unfinished.delete(partition);
      if (unfinished.size === 0) done.abort();
    },
  });
}
