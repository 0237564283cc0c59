import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { judgesFolder } from './kafka-artifacts.ts';
import { mustRun } from './programs.ts';
import { makePython } from './python.ts';

/** The npm package that carries librdkafka's whole source tree, and the version of librdkafka in it. */
export const librdkafkaPackage = 'node-rdkafka@3.6.1';
export const librdkafkaVersion = '2.12.0';
const JSON_PACKAGE = 'python-rapidjson';
const JSON_VERSION = '1.20';

export const librdkafkaFolder = join(judgesFolder, `librdkafka-${librdkafkaVersion}`);
/** Builds the suite and `rdkafka_performance` with the machine's C compiler: about two minutes. */
export async function buildLibrdkafka(): Promise<void> {
  if (existsSync(librdkafkaFolder)) return;
  const work = join(judgesFolder, 'librdkafka.half');
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const tarball = (await mustRun('npm', ['pack', '--silent', librdkafkaPackage], { cwd: work })).trim();
  await mustRun('tar', ['xzf', tarball], { cwd: work });
  const source = join(work, 'package/deps/librdkafka');
  const jobs = `-j${availableParallelism()}`;
  const env = { CPPFLAGS: `-I${await fetchJsonHeaders(work)}` };
  const build = { cwd: source, env, timeoutMs: 15 * 60_000 };
  await adapt(join(source, 'tests'));
  await mustRun('./configure', [], build);
  await mustRun('make', [jobs, 'libs'], build);
  await mustRun('make', [jobs, '-C', 'tests', 'build'], build);
  await mustRun('make', ['-C', 'examples', 'rdkafka_performance'], build);
  await rename(source, librdkafkaFolder);
  await rm(work, { recursive: true, force: true });
}

/** Some tests ask for three replicas, though nothing in them needs them: of one broker, of either kind, they ask for one. */
async function adapt(folder: string): Promise<void> {
  for (const file of ['0098-consumer-txn.cpp', '0103-transactions.c']) {
    const path = join(folder, file);
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll(', 3, 5000)', ', 1, 5000)'));
  }
}

/** Some tests check JSON with headers that come with a Python package. @returns their folder */
async function fetchJsonHeaders(work: string): Promise<string> {
  const python = await makePython();
  const options = ['--no-deps', '--no-build-isolation', '--no-binary', ':all:', '--dest', work];
  await mustRun(python, ['-m', 'pip', 'download', '-q', ...options, `${JSON_PACKAGE}==${JSON_VERSION}`], {
    timeoutMs: 5 * 60_000,
  });
  const name = `${JSON_PACKAGE.replace('-', '_')}-${JSON_VERSION}`;
  await mustRun('tar', ['xzf', `${name}.tar.gz`], { cwd: work });
  return join(work, name, 'rapidjson/include');
}

/** Runs librdkafka's own benchmark, built with the rest. @returns what it printed */
export function rdkafkaPerformance(args: readonly string[], timeoutMs: number): Promise<string> {
  return mustRun('./rdkafka_performance', args, {
    cwd: join(librdkafkaFolder, 'examples'),
    env: { LD_LIBRARY_PATH: '../src:../src-cpp' },
    timeoutMs,
  });
}
