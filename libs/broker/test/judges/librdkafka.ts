import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { judgesFolder, kafkaJavaArguments, kafkaVersion } from '@tickfold/testkit/apache-kafka';
import { buildLibrdkafka, librdkafkaFolder, librdkafkaPackage, librdkafkaVersion } from '@tickfold/testkit/librdkafka';
import { mustRun, runProgram } from '@tickfold/testkit/programs';
import type { Hearing, Judge, Subject, Verdict } from './judge.ts';

const tests = join(librdkafkaFolder, 'tests');
const kafkaInstallation = join(judgesFolder, 'kafka-installation');
/** They do nothing in quick mode. */
const SLOW = ['0082'];
const CASE_TIMEOUT_MS = 120_000;

/** librdkafka's own tests, those of them that talk to a broker. */
export const librdkafka: Judge = {
  name: 'librdkafka',
  origin: `librdkafka ${librdkafkaVersion}'s own suite (npm ${librdkafkaPackage}), in quick mode; 0098 and 0103 with one replica instead of three`,
  async prepare() {
    await buildLibrdkafka();
    await layOutKafka();
    // Before any test does, for two of them would do it at the same time.
    await mustRun('make', ['-s', 'java'], { cwd: tests, env: { KAFKA_PATH: kafkaInstallation } });
  },
  async hearings() {
    const numbers = (await readdir(tests)).flatMap((file) => /^(0\d{3})-.+\.(?:c|cpp)$/.exec(file)?.[1] ?? []);
    const wholes = [...new Set(numbers)].sort().map((number) => ({
      title: number,
      run: (subject: Subject) => runTest(number, subject),
    }));
    return [...wholes, ...(await partsOf('0081', '0081-admin.c'))];
  },
};

/** The parts of a test that ends with the first part that fails: they are judged one by one as well. */
async function partsOf(number: string, file: string): Promise<Hearing[]> {
  const code = await readFile(join(tests, file), 'utf8');
  const parts = new Set([...code.matchAll(/^(?:static )?void do_test_(\w+)\(/gm)].map((match) => match[1]!));
  parts.delete('apis');
  return [...parts].map((part) => ({
    title: `${number} ${part}`,
    async run(subject) {
      const verdicts = await runTest(number, subject, part);
      return verdicts.map((verdict) => ({ ...verdict, case: `${verdict.case}: ${part}` }));
    },
  }));
}

async function runTest(number: string, subject: Subject, part?: string): Promise<Verdict[]> {
  const folder = join(subject.folder, 'librdkafka');
  const configuration = join(folder, 'test.conf');
  await mkdir(folder, { recursive: true });
  await writeFile(configuration, `metadata.broker.list=${subject.bootstrap}\ntest.topic.random=true\n`);
  // -p1: one at a time. -Q: quick. -L: none that needs no broker.
  const options = ['-p1', ...(SLOW.includes(number) ? [] : ['-Q']), '-L'];
  const { output, timedOut } = await runProgram('./test-runner', options, {
    cwd: tests,
    timeoutMs: CASE_TIMEOUT_MS,
    log: join(folder, `${number}${part === undefined ? '' : `-${part}`}.log`),
    env: {
      TESTS: number,
      ...(part === undefined ? {} : { SUBTESTS: `do_test_${part}:` }),
      RDKAFKA_TEST_CONF: configuration,
      LD_LIBRARY_PATH: '../src:../src-cpp',
      TEST_KAFKA_VERSION: kafkaVersion,
      BROKERS: subject.bootstrap,
      KAFKA_PATH: kafkaInstallation,
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

/** Some tests run the scripts of a Kafka installation, or Java programs beside it: here is one, over the fetched artifacts. */
async function layOutKafka(): Promise<void> {
  const bin = join(kafkaInstallation, 'bin');
  await mkdir(bin, { recursive: true });
  const runner = join(bin, 'kafka-run-class.sh');
  const [command, ...rest] = ['java', ...kafkaJavaArguments('', [])].filter((word) => word !== '');
  const words = [command, ...rest].map((word) => `'${word}'`).join(' ');
  const jars = rest.at(-1);
  await writeScript(runner, `exec ${words.replace(`'${jars}'`, `"$CLASSPATH:${jars}"`)} "$@"`);
  const tools = { 'kafka-topics': 'org.apache.kafka.tools.TopicCommand', 'kafka-acls': 'kafka.admin.AclCommand' };
  for (const [name, mainClass] of Object.entries(tools))
    await writeScript(join(bin, `${name}.sh`), `exec '${runner}' ${mainClass} "$@"`);
  await rm(join(kafkaInstallation, 'libs'), { force: true });
  await symlink(dirname(jars!), join(kafkaInstallation, 'libs'));
}

async function writeScript(path: string, line: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${line}\n`);
  await chmod(path, 0o755);
}
