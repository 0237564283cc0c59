/**
 * An instance of a processor, as a process of its own that is to be killed: it numbers the records of each key.
 * Arguments: address of the broker, group, input topic, output topic, dead-letter topic, instance, session in milliseconds.
 */
import { connect, runProcessor, runResumably } from '@tickfold/stream';

const [address, group, inputTopic, outputTopic, deadLetterTopic, instanceId, sessionTimeoutMs] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

await runResumably({
  signal: stop.signal,
  minBackoffMs: 20,
  maxBackoffMs: 500,
  onInterrupted: ({ code }) => process.send({ interrupted: code }),
  async run() {
    const client = await connect({ brokers: [address], clientId: `instance-${instanceId}` }, stop.signal);
    try {
      await runProcessor({
        client,
        group,
        instanceId,
        sessionTimeoutMs: Number(sessionTimeoutMs),
        inputTopic,
        outputTopics: [outputTopic],
        deadLetterTopic,
        createState: () => new Map(),
        handle(counts, record, emit) {
          const key = String(record.key);
          const count = (counts.get(key) ?? 0) + 1;
          counts.set(key, count);
          emit({ topic: outputTopic, key, value: Buffer.from(`${key}#${count}`), timestampMs: record.timestampMs });
        },
        checkpoint: {
          everyRecords: 2_000,
          serialize: (counts) => Buffer.from(JSON.stringify([...counts])),
          deserialize: (bytes) => new Map(JSON.parse(Buffer.from(bytes).toString())),
        },
        signal: stop.signal,
        onProgress: ({ handled, refolding }) => process.send({ handled: refolding ? 0 : handled }),
      });
    } finally {
      await client.close();
    }
  },
});
process.disconnect();
