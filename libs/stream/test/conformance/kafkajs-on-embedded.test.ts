import { describeRules } from './rules.ts';
import { kafkaJsOnEmbedded } from './set-ups.ts';

describeRules(kafkaJsOnEmbedded);
