import { startApacheKafka, whyNoApacheKafka } from '@tickfold/testkit/apache-kafka';
import { describeStory } from './story.ts';
import { test } from './test.ts';
import { isLong } from './tickfold.ts';

const TITLE = 'the five-minute story on Apache Kafka';

const reason = whyNoApacheKafka();
if (reason === undefined) {
  describeStory({
    title: TITLE,
    async serve() {
      const kafka = await startApacheKafka({ heapMb: 384 });
      return { env: { STREAM_ENGINE: 'kafka', KAFKA_BROKERS: kafka.bootstrap }, stop: () => kafka.stop() };
    },
    isWhole: isLong,
    killed: ['enrichment', 'ingest', 'reversion-1', 'reversion-2'],
  });
} else {
  test.skip(`${TITLE}: ${reason}`, () => {});
}
