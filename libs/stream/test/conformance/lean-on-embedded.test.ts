import { describeGroupRules } from './group-rules.ts';
import { describeReadingRules } from './reading-rules.ts';
import { describeRules } from './rules.ts';
import { leanOnEmbedded } from './set-ups.ts';
import { describeTransactionRules } from './transaction-rules.ts';

describeRules(leanOnEmbedded);

describeReadingRules(leanOnEmbedded);
describeGroupRules(leanOnEmbedded);
describeTransactionRules(leanOnEmbedded);
