import { whyNoApacheKafka } from '@tickfold/testkit/apache-kafka';
import { test } from 'vitest';
import { describeGroupRules } from './group-rules.ts';
import { describeReadingRules } from './reading-rules.ts';
import { describeRules } from './rules.ts';
import { kafkaJsOnApacheKafka } from './set-ups.ts';
import { describeTransactionRules } from './transaction-rules.ts';

const reason = whyNoApacheKafka();
if (reason === undefined) {
  describeRules(kafkaJsOnApacheKafka);
  describeReadingRules(kafkaJsOnApacheKafka);
  describeGroupRules(kafkaJsOnApacheKafka);
  describeTransactionRules(kafkaJsOnApacheKafka);
} else {
  test.skip(`${kafkaJsOnApacheKafka.title}: ${reason}`);
}
