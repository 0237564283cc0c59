// `npm run bench -- [SUITE] [--json]`: runs the benchmarks on this machine and prints their figures.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { build, checkNode, installDependencies, repository } from './set-up.mjs';

/** Suite → the project whose `bench/` folder holds it, and the file. */
const suites = {
  sim: ['libs/market', 'simulator.bench.js'],
  log: ['libs/log-engine', 'log.bench.js'],
  stream: ['libs/stream', 'throughput.bench.js'],
};

const words = process.argv.slice(2);
const asJson = words.includes('--json');
const rest = words.filter((word) => word !== '--json');
const chosen = rest[0] !== undefined && !rest[0].startsWith('-') ? [rest.shift()] : Object.keys(suites);
const unknown = chosen.find((name) => !(name in suites));
if (unknown !== undefined) {
  process.stderr.write(
    `tickfold: there is no benchmark suite "${unknown}".\nMend: choose one of ${Object.keys(suites).join(', ')}, or none for all.\n`,
  );
  process.exit(2);
}

checkNode();
await installDependencies();
if (!existsSync(join(repository, 'libs/stream/dist/index.js'))) await build();

let missed = 0;
for (const name of chosen) {
  const [project, file] = suites[name];
  execFileSync(
    process.execPath,
    [join(repository, 'node_modules/typescript/bin/tsc'), '-b', join(repository, project, 'bench')],
    { stdio: 'inherit' },
  );
  const figures = await runSuite(join(repository, project, 'dist/bench', file), rest);
  missed += figures.filter((figure) => !holds(figure)).length;
  const report = { suite: name, machine: describeMachine(), date: new Date().toISOString(), figures };
  process.stdout.write(asJson ? `${JSON.stringify(report)}\n` : asTable(report));
}
process.exitCode = missed === 0 ? 0 : 1;

/** The suite prints its figures as its last line, in JSON. It works in the data folder, which lies on a real disk. */
function runSuite(script, options) {
  const folder = join(repository, 'data/volumes');
  mkdirSync(folder, { recursive: true });
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...options], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.once('close', (status) => {
      if (status === 0) resolve(JSON.parse(output.trim().split('\n').at(-1)));
      else reject(new Error(`${script} ended with status ${status}`));
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
    const { name, value, unit, atLeast, atMost } = figure;
    const bound =
      atLeast !== undefined
        ? `at least ${atLeast.toLocaleString('en')}`
        : atMost !== undefined
          ? `at most ${atMost.toLocaleString('en')}`
          : '';
    return `  ${name.padEnd(width)}  ${value.toLocaleString('en').padStart(12)} ${unit}${bound && `   (${bound}: ${holds(figure) ? 'holds' : 'MISSED'})`}`;
  });
  return `${suite} — ${machine}, ${date}\n${lines.join('\n')}\n`;
}
