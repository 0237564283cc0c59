import { describeRules } from './rules.ts';
import { leanOnEmbedded } from './set-ups.ts';
import { describeTransactionRules } from './transaction-rules.ts';

describeRules(leanOnEmbedded);
describeTransactionRules(leanOnEmbedded);
