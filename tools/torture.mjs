// `npm run torture -- SUITE [--seed N] [--rounds N] [--kills N] …`: the long fault runs.
import { join } from 'node:path';
import { checkNode, installDependencies, repository, run } from './set-up.mjs';
import { endWith, readWords } from './words.mjs';

/** Suite → the project whose `test/torture` folder holds it, its options, and what it is compiled to. */
const suites = {
  cluster: { project: 'libs/testkit', values: ['seed', 'kills', 'rate', 'speed'] },
  log: { project: 'libs/log-engine', values: ['seed', 'rounds', 'kills'] },
  stream: { project: 'libs/stream', values: ['seed', 'kills', 'records'], main: 'torture.js' },
  wire: { project: 'libs/broker', values: ['seed', 'rounds', 'rebalances'] },
};
const usage = Object.entries(suites)
  .map(([suite, { values }]) => `npm run torture -- ${[suite, ...values.map((value) => `[--${value} N]`)].join(' ')}`)
  .join('\n');

const [name = '', ...options] = process.argv.slice(2);
if (name === '--help' || name === '-h') endWith(0, usage);
if (!Object.hasOwn(suites, name)) {
  endWith(2, `there is no torture suite "${name}".`, `choose one of ${Object.keys(suites).join(', ')}:\n${usage}`);
}
const { project, values, main = 'torture/torture.js' } = suites[name];
readWords(options, { values, usage });

checkNode();
await installDependencies();
const compiler = join(repository, 'node_modules/typescript/bin/tsc');
const status = await run(process.execPath, [compiler, '-b', join(repository, project, 'test/torture')]);
process.exitCode =
  status !== 0
    ? status
    : await run(process.execPath, [join(repository, project, 'dist/torture', main), ...options], {
        // On a real disk, as the data of a running system.
        env: { ...process.env, TORTURE_DIR: join(repository, 'data/volumes') },
      });
