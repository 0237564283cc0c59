#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write(
    'tickfold: it is not built yet.\nMend: npm start builds it, and npm run build does only that.\n',
  );
  process.exitCode = 1;
}
