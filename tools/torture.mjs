// `npm run torture -- SUITE [--seed N] [--rounds N] [--kills N]`: the long fault runs.
import { join } from 'node:path';
import { checkNode, installDependencies, repository, run } from './set-up.mjs';

/** Suite → the project whose `test/torture` folder holds it. */
const suites = { log: 'libs/log-engine' };

const [name, ...options] = process.argv.slice(2);
const project = suites[name];
if (project === undefined) {
  process.stderr.write(
    `tickfold: there is no torture suite "${name ?? ''}".\nMend: npm run torture -- SUITE [--seed N] [--rounds N] [--kills N]; suites: ${Object.keys(suites).join(', ')}\n`,
  );
  process.exit(2);
}

checkNode();
await installDependencies();
const compiler = join(repository, 'node_modules/typescript/bin/tsc');
const status = await run(process.execPath, [compiler, '-b', join(repository, project, 'test/torture')]);
process.exitCode =
  status !== 0
    ? status
    : await run(process.execPath, [join(repository, project, 'dist/torture/torture/torture.js'), ...options], {
        // On a real disk, as the data of a running system.
        env: { ...process.env, TORTURE_DIR: join(repository, 'data/volumes') },
      });
