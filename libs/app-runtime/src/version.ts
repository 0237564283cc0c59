import { readFileSync } from 'node:fs';

/** The repository's: this file lies three folders below it, as source and built. */
const packageFile = new URL('../../../package.json', import.meta.url);

/** Version of Tickfold that runs. */
export const tickfoldVersion = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
