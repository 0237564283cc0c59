// `npm run clean`: removes the volumes of the data folder. Whatever else lies there is left alone and named.
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { repository } from './set-up.mjs';

const configured = process.env.DATA_DIR || 'data/volumes';
const folder = isAbsolute(configured) ? configured : join(repository, configured);

/** A volume has at least one of these folders; our own files beside the volumes begin with a dot. */
function isOurs(entry) {
  if (entry.name.startsWith('.')) return true;
  return (
    entry.isDirectory() && ['journal', 'tables', 'files'].some((part) => existsSync(join(folder, entry.name, part)))
  );
}

if (!existsSync(folder)) {
  process.stdout.write(`tickfold: nothing to remove at ${folder}\n`);
} else {
  const entries = readdirSync(folder, { withFileTypes: true });
  const strangers = entries.filter((entry) => !isOurs(entry)).map((entry) => entry.name);
  for (const entry of entries.filter(isOurs)) rmSync(join(folder, entry.name), { recursive: true, force: true });
  if (strangers.length === 0) rmdirSync(folder);
  process.stdout.write(`tickfold: removed the volumes at ${folder}\n`);
  if (strangers.length > 0)
    process.stdout.write(`tickfold: left alone, not made by Tickfold: ${strangers.join(', ')}\n`);
}
