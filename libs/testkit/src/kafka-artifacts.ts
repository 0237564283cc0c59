import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const RECIPE = join(import.meta.dirname, '../apache-kafka');
const REPOSITORY = join(import.meta.dirname, '../../..');
const OLDEST_JAVA = 17;

/** Of Apache Kafka, as the recipe for Maven names it. */
export const kafkaVersion: string = /<kafka\.version>(.+)<\/kafka\.version>/.exec(
  readFileSync(join(RECIPE, 'pom.xml'), 'utf8'),
)![1]!;

/** Where what the judges need is kept between runs: `JUDGES_DIR`, else `data/judges`. Git ignores it. */
export const judgesFolder: string = process.env.JUDGES_DIR ?? join(REPOSITORY, 'data/judges');

const jars = join(judgesFolder, `apache-kafka-${kafkaVersion}`);

/** Why there is no Apache Kafka to be started on this machine, in words for the title of a skipped test; else undefined. */
export function whyNoApacheKafka(): string | undefined {
  if (!existsSync(jars)) return 'it is not fetched: npm run apache-kafka -- --fetch';
  return hasJava() ? undefined : `there is no Java ${OLDEST_JAVA} or newer`;
}

/**
 * Fetches Apache Kafka and its tools with Maven, unless they are there already.
 * @throws Error where Maven or Java is missing or the fetch fails
 */
export async function fetchApacheKafka(): Promise<void> {
  if (!hasJava())
    throw new Error(`There is no Java ${OLDEST_JAVA} or newer. Mend: install a JDK, such as openjdk-17-jdk-headless.`);
  if (existsSync(jars)) return;
  await mkdir(judgesFolder, { recursive: true });
  const half = `${jars}.half`;
  await rm(half, { recursive: true, force: true });
  const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${half}`];
  try {
    await promisify(execFile)('mvn', ['-B', '-q', '-f', join(RECIPE, 'pom.xml'), ...copy]);
  } catch (error) {
    throw new Error(
      `Maven did not fetch Apache Kafka ${kafkaVersion}. Mend: see its message below; it needs \`mvn\` and a reachable repository.`,
      {
        cause: error,
      },
    );
  }
  await rename(half, jars);
}

/** What `java` is to be given to run a class of Apache Kafka's: its server or one of its tools. */
export function kafkaJavaArguments(mainClass: string, args: readonly string[], heapMb = 256): string[] {
  return [
    `-Xmx${heapMb}m`,
    '-XX:+UseG1GC',
    '-XX:MaxGCPauseMillis=20',
    '-XX:InitiatingHeapOccupancyPercent=35',
    `-Dlog4j2.configurationFile=${join(RECIPE, 'log4j2.properties')}`,
    '-cp',
    join(jars, '*'),
    mainClass,
    ...args,
  ];
}

function hasJava(): boolean {
  try {
    const version = execFileSync('java', ['--version'], { encoding: 'utf8' });
    return Number(/ (\d+)/.exec(version)?.[1]) >= OLDEST_JAVA;
  } catch {
    return false;
  }
}
