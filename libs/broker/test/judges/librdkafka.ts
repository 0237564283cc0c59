import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { judgesFolder, kafkaJavaArguments, kafkaVersion } from '@tickfold/testkit/apache-kafka';
import type { Judge, Subject, Verdict } from './judge.ts';
import { mustRun, runProgram } from './programs.ts';
import { makePython } from './python.ts';

/** The npm package that carries librdkafka's whole source tree, and the version of librdkafka in it. */
const PACKAGE = 'node-rdkafka@3.6.1';
const VERSION = '2.12.0';
const JSON_PACKAGE = 'python-rapidjson';
const JSON_VERSION = '1.20';

const built = join(judgesFolder, `librdkafka-${VERSION}`);
const tests = join(built, 'tests');
const CASE_TIMEOUT_MS = 120_000;

/** librdkafka's own tests, those of them that talk to a broker. */
export const librdkafka: Judge = {
  name: 'librdkafka',
  origin: `librdkafka ${VERSION}'s own suite in quick mode (npm ${PACKAGE})`,
  prepare: buildLibrdkafka,
  async hearings() {
    const numbers = (await readdir(tests)).flatMap((file) => /^(0\d{3})-.+\.(?:c|cpp)$/.exec(file)?.[1] ?? []);
    return [...new Set(numbers)]
      .sort()
      .map((number) => ({ title: number, run: (subject) => runTest(number, subject) }));
  },
};

/** Builds the suite and `rdkafka_performance` with the machine's C compiler: about two minutes. */
export async function buildLibrdkafka(): Promise<void> {
  if (existsSync(built)) return;
  const work = join(judgesFolder, 'librdkafka.half');
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const tarball = (await mustRun('npm', ['pack', '--silent', PACKAGE], { cwd: work })).trim();
  await mustRun('tar', ['xzf', tarball], { cwd: work });
  const source = join(work, 'package/deps/librdkafka');
  const jobs = `-j${availableParallelism()}`;
  const env = { CPPFLAGS: `-I${await fetchJsonHeaders(work)}` };
  const build = { cwd: source, env, timeoutMs: 15 * 60_000 };
  await mustRun('./configure', [], build);
  await mustRun('make', [jobs, 'libs'], build);
  await mustRun('make', [jobs, '-C', 'tests', 'build'], build);
  await mustRun('make', ['-C', 'examples', 'rdkafka_performance'], build);
  await rename(source, built);
  await rm(work, { recursive: true, force: true });
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

async function runTest(number: string, subject: Subject): Promise<Verdict[]> {
  const folder = join(subject.folder, 'librdkafka');
  const configuration = join(folder, 'test.conf');
  await mkdir(folder, { recursive: true });
  await writeFile(configuration, `metadata.broker.list=${subject.bootstrap}\ntest.topic.random=true\n`);
  // -p1: one at a time. -Q: quick. -L: none that needs no broker.
  const { output, timedOut } = await runProgram('./test-runner', ['-p1', '-Q', '-L'], {
    cwd: tests,
    timeoutMs: CASE_TIMEOUT_MS,
    log: join(folder, `${number}.log`),
    env: {
      TESTS: number,
      RDKAFKA_TEST_CONF: configuration,
      LD_LIBRARY_PATH: '../src:../src-cpp',
      TEST_KAFKA_VERSION: kafkaVersion,
      BROKERS: subject.bootstrap,
      KAFKA_PATH: await layOutKafkaScripts(),
    },
  });
  return readVerdicts(output, timedOut);
}

/** What the runner says of each test that it began. */
export function readVerdicts(output: string, timedOut: boolean): Verdict[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the runner colours what it says.
  const plain = output.replaceAll(/\x1b\[[0-9;]*m/g, '');
  const begun = [...plain.matchAll(/=+ Running test (\w+) =+/g)].map((match) => match[1]!);
  return begun.map((name) => {
    if (plain.includes(`Test ${name} PASSED`)) return { case: name, outcome: 'passed' };
    const skipped = new RegExp(`${name} +/ +[0-9.]+s\\] Test skipped(.*)`).exec(plain);
    if (skipped !== null || new RegExp(`\\| +${name} +\\| +SKIPPED`).test(plain)) {
      return {
        case: name,
        outcome: 'skipped',
        why: /\| +SKIPPED[^|]*\|[^|]*\|([^\n]*)/.exec(plain)?.[1]?.trim() ?? '',
      };
    }
    const failure = new RegExp(`### Test "${name}[^\\n]*" failed at ([^ ]+)[^\\n]*\\n([^\\n]*)`).exec(plain);
    const why = failure === null ? 'ended before it was done' : `${failure[1]} ${failure[2]}`;
    return { case: name, outcome: 'failed', why: timedOut ? `no end in ${CASE_TIMEOUT_MS / 1000} s; ${why}` : why };
  });
}

/** Some tests make their topics with the scripts of a Kafka installation: here they are, over the fetched artifacts. */
async function layOutKafkaScripts(): Promise<string> {
  const folder = join(judgesFolder, 'kafka-scripts');
  const scripts = { 'kafka-topics': 'org.apache.kafka.tools.TopicCommand', 'kafka-acls': 'kafka.admin.AclCommand' };
  await mkdir(join(folder, 'bin'), { recursive: true });
  for (const [name, mainClass] of Object.entries(scripts)) {
    const script = join(folder, 'bin', `${name}.sh`);
    const words = ['java', ...kafkaJavaArguments(mainClass, [])].map((word) => `'${word}'`);
    await writeFile(script, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
    await chmod(script, 0o755);
  }
  return folder;
}
