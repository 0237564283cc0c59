import { describeGroupRules } from './group-rules.ts';
import { describeRules } from './rules.ts';
import { kafkaJsOnEmbedded } from './set-ups.ts';
import { describeTransactionRules } from './transaction-rules.ts';

describeRules(kafkaJsOnEmbedded);
describeGroupRules(kafkaJsOnEmbedded);
describeTransactionRules(kafkaJsOnEmbedded);
