import { describeGroupRules } from './group-rules.ts';
import { describeRules } from './rules.ts';
import { leanOnEmbedded } from './set-ups.ts';
import { describeTransactionRules } from './transaction-rules.ts';

describeRules(leanOnEmbedded);
describeGroupRules(leanOnEmbedded);
describeTransactionRules(leanOnEmbedded);
