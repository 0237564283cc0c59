import { describeRules } from './rules.ts';
import { kafkaJsOnEmbedded } from './set-ups.ts';
import { describeTransactionRules } from './transaction-rules.ts';

describeRules(kafkaJsOnEmbedded);
describeTransactionRules(kafkaJsOnEmbedded);
