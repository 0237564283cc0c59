import { readFileSync } from 'node:fs';

const packageFile = new URL('../package.json', import.meta.url);

/** Of this build. */
export const tickfoldVersion = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
