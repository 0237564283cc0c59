import { describeGroupRules } from './group-rules.ts';
import { describeReadingRules } from './reading-rules.ts';
import { describeRules } from './rules.ts';
import { kafkaJsOnEmbedded } from './set-ups.ts';
import { describeTransactionRules } from './transaction-rules.ts';

describeRules(kafkaJsOnEmbedded);

describeReadingRules(kafkaJsOnEmbedded);
describeGroupRules(kafkaJsOnEmbedded);
describeTransactionRules(kafkaJsOnEmbedded);
