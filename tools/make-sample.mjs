// Writes the sample session anew: `npm run build && node tools/make-sample.mjs`. Prints what data/sample/README.md says of it.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { SAMPLE_SESSION_FILE, sampleSession } from '@tickfold/market';

const content = sampleSession();
writeFileSync(new URL(`../data/sample/${SAMPLE_SESSION_FILE}`, import.meta.url), content);
const lines = content.filter((byte) => byte === 0x0a).length;
const sha256 = createHash('sha256').update(content).digest('hex');
process.stdout.write(`${SAMPLE_SESSION_FILE}: ${lines} lines, ${content.length} bytes, sha256 ${sha256}\n`);
