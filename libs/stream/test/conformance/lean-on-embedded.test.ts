import { describeRules } from './rules.ts';
import { leanOnEmbedded } from './set-ups.ts';

describeRules(leanOnEmbedded);
