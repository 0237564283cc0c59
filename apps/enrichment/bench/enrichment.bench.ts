/**
 * How instances of enrichment share its work. Broker and instances are processes of their own, on a simulated day. Prints
 * its figures as one line of JSON.
 *
 *   npm run bench -- enrichment [--quick]
 */
import { parseArgs } from 'node:util';
import { measureBalance } from './balance.ts';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const setting = options.quick ? { rounds: 1, windowMs: 2_000 } : { rounds: 5, windowMs: 5_000 };
console.log(JSON.stringify(await measureBalance(setting)));
