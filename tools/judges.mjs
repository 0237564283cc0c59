// `npm run judges -- [--only JUDGE] [--title PART] [--jobs N]`: other people's tests against this broker and Apache Kafka.
// Without --only and --title it writes docs/judges.md. --jobs: so many cases at the same time (1).
import { join } from 'node:path';
import { checkNode, installDependencies, repository, run } from './set-up.mjs';

checkNode();
await installDependencies();
const compiler = join(repository, 'node_modules/typescript/bin/tsc');
const projects = ['apps/broker', 'libs/broker/test/judges'];
const status = await run(process.execPath, [compiler, '-b', ...projects]);
process.exitCode =
  status !== 0
    ? status
    : await run(process.execPath, [join(repository, 'libs/broker/dist/judges/judges.js'), ...process.argv.slice(2)]);
