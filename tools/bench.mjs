// `npm run bench -- [SUITE] [--json]`: runs the benchmarks on this machine and prints their figures.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { build, checkNode, installDependencies, repository } from './set-up.mjs';
import { endWith, readWords } from './words.mjs';

/** Suite → the project whose `bench/` folder holds it, the file, and its options. */
const suites = {
  sim: { project: 'libs/market', file: 'simulator.bench.js' },
  log: { project: 'libs/log-engine', file: 'log.bench.js', values: ['only'], flags: ['quick'] },
  broker: { project: 'libs/broker', file: 'bench/broker.bench.js', values: ['only'], flags: ['quick'] },
  stream: { project: 'libs/stream', file: 'stream.bench.js', values: ['only'], flags: ['quick'] },
  enrichment: { project: 'apps/enrichment', file: 'enrichment.bench.js', flags: ['quick'] },
};

const usage = Object.entries(suites)
  .map(([suite, { values = [], flags = [] }]) => {
    const words = [...values.map((name) => `[--${name} …]`), ...[...flags, 'json'].map((name) => `[--${name}]`)];
    return `npm run bench -- ${[suite, ...words].join(' ')}`;
  })
  .concat('npm run bench [-- --json]   for all of them')
  .join('\n');

const [name = '', ...options] = process.argv.slice(2);
const isSuite = name !== '' && !name.startsWith('-');
if (isSuite && !Object.hasOwn(suites, name)) {
  endWith(2, `there is no benchmark suite "${name}".`, `choose one of ${Object.keys(suites).join(', ')}:\n${usage}`);
}
const { values, flags = [] } = isSuite ? suites[name] : {};
const words = isSuite ? options : process.argv.slice(2);
const asJson = readWords(words, { values, flags: [...flags, 'json'], usage }).json === true;
const rest = words.filter((word) => word !== '--json');
const chosen = isSuite ? [name] : Object.keys(suites);

checkNode();
await installDependencies();
if (!existsSync(join(repository, 'libs/stream/dist/index.js'))) await build();

let missed = 0;
for (const suite of chosen) {
  const { project, file } = suites[suite];
  execFileSync(
    process.execPath,
    [join(repository, 'node_modules/typescript/bin/tsc'), '-b', join(repository, project, 'bench')],
    { stdio: 'inherit' },
  );
  const figures = await runSuite(join(repository, project, 'dist/bench', file), rest);
  missed += figures.filter((figure) => !holds(figure)).length;
  const report = { suite, machine: describeMachine(), date: new Date().toISOString(), figures };
  process.stdout.write(asJson ? `${JSON.stringify(report)}\n` : asTable(report));
}
process.exitCode = missed === 0 ? 0 : 1;

/** The suite prints its figures as its last line, in JSON. It works in the data folder, which lies on a real disk. */
function runSuite(script, options) {
  const folder = join(repository, 'data/volumes');
  mkdirSync(folder, { recursive: true });
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...options], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.once('close', (status) => {
      if (status === 0) resolve(JSON.parse(output.trim().split('\n').at(-1)));
      // It has said why.
      else process.exit(status ?? 1);
    });
  });
}

function holds({ value, atLeast, atMost }) {
  return (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
}

function describeMachine() {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.versions.node}, ${process.platform}`;
}

function asTable({ suite, machine, date, figures }) {
  const width = Math.max(...figures.map(({ name }) => name.length));
  const lines = figures.map((figure) => {
    const { name, value, unit, atLeast, atMost, peers = {} } = figure;
    const others = Object.entries(peers).map(([peer, theirs]) => `   ${peer}: ${theirs.toLocaleString('en')} ${unit}`);
    const bound =
      atLeast !== undefined
        ? `at least ${atLeast.toLocaleString('en')}`
        : atMost !== undefined
          ? `at most ${atMost.toLocaleString('en')}`
          : '';
    return `  ${name.padEnd(width)}  ${value.toLocaleString('en').padStart(12)} ${unit}${bound && `   (${bound}: ${holds(figure) ? 'holds' : 'MISSED'})`}${others.join('')}`;
  });
  return `${suite} — ${machine}, ${date}\n${lines.join('\n')}\n`;
}
