// Runs the judges against this repository's broker and against Apache Kafka; see tools/judges.mjs for its options.
import { rm, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fetchApacheKafka, judgesFolder, kafkaVersion } from '@tickfold/testkit/apache-kafka';
import { excuses } from './excuses.ts';
import { franzGo } from './go.ts';
import { javaAdmin, javaTools } from './java.ts';
import type { Hearing, Judge, Subject, Verdict } from './judge.ts';
import { kafkajs } from './kafkajs.ts';
import { kcat } from './kcat.ts';
import { librdkafka } from './librdkafka.ts';
import { pythonClients } from './python.ts';
import { compare, describeRun, type Judged, type Row } from './report.ts';
import { startKafka, startTickfold } from './subjects.ts';

const judges: Judge[] = [kcat, kafkajs, ...pythonClients, franzGo, javaAdmin, javaTools, librdkafka];
const repository = join(import.meta.dirname, '../../../..');
const results = join(judgesFolder, 'last-run');

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    title: { type: 'string', default: '' },
    jobs: { type: 'string', default: '1' },
  },
});
const chosen = judges.filter(({ name }) => options.only.length === 0 || options.only.includes(name));

// What was started ends with this process, however that ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

await fetchApacheKafka();
for (const judge of chosen) {
  say(`fetching ${judge.origin}`);
  await judge.prepare();
}
await rm(results, { recursive: true, force: true });
const here = await startTickfold(join(repository, 'apps/broker/dist/main.js'), join(results, 'here'));
const there = await startKafka(join(results, 'there'));
try {
  const judged: Judged[] = [];
  for (const judge of chosen) judged.push({ judge, rows: await hear(judge) });
  // A part of the run is no report.
  if (options.only.length === 0 && options.title === '') {
    await writeFile(
      join(repository, 'docs/judges.md'),
      describeRun(judged, circumstances()).replaceAll(`${repository}/`, ''),
    );
  }
  const wrong = judged.flatMap(({ rows }) => rows).filter((row) => row.wrong).length;
  say(`${wrong} differences without a reason; all that the judges said is in ${results}`);
  process.exitCode = wrong === 0 ? 0 : 1;
} finally {
  await Promise.all([here.stop(), there.stop()]);
}

async function hear(judge: Judge): Promise<Row[]> {
  const hearings = (await judge.hearings()).filter(({ title }) => title.includes(options.title));
  const rows = new Map<Hearing, Row[]>();
  const waiting = [...hearings];
  const work = async (): Promise<void> => {
    for (let hearing = waiting.shift(); hearing !== undefined; hearing = waiting.shift()) {
      const found = await compareTwice(judge, hearing);
      rows.set(hearing, found);
      for (const { case: name, here, there, remark, wrong } of found)
        say(
          `${wrong ? 'WRONG' : 'ok'}  ${judge.name}: ${name}: here ${here}, there ${there}${remark && ` (${remark})`}`,
        );
    }
  };
  await Promise.all(Array.from({ length: Number(options.jobs) }, work));
  return hearings.flatMap((hearing) => rows.get(hearing) ?? []);
}

/** On a busy machine a case that waits for seconds may miss its time: a difference has to show itself again. */
async function compareTwice(judge: Judge, hearing: Hearing): Promise<Row[]> {
  const first = await compareOnce(judge, hearing);
  if (!first.some(({ wrong }) => wrong)) return first;
  const second = await compareOnce(judge, hearing);
  return second.map((row) => {
    const before = first.find((other) => other.case === row.case);
    return row.wrong || before?.wrong !== true
      ? row
      : { ...row, remark: `at the second attempt; before: ${before.remark}` };
  });
}

async function compareOnce(judge: Judge, hearing: Hearing): Promise<Row[]> {
  const listen = (subject: Subject): Promise<Verdict[]> => hearing.run(subject);
  const [ours, theirs] = await Promise.all([listen(here), listen(there)]);
  return compare(judge.name, ours, theirs, excuses);
}

function circumstances() {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  return { date: new Date().toISOString().slice(0, 16).replace('T', ' '), machine, kafkaVersion };
}

function say(line: string): void {
  process.stdout.write(`judges: ${line}\n`);
}
