import type { Judge, Verdict } from './judge.ts';

/** Why a case may pass on Apache Kafka and not here. Nothing else excuses a difference. */
export const REASONS = {
  'several-brokers': 'it needs several brokers',
  'delegation-tokens': 'it needs delegation tokens',
  'removed-in-kafka-4': 'it needs an API that Kafka 4 removed',
} as const;

/** Judge and case, such as `librdkafka: 0081_admin`, to the reason. */
export type Excuses = Readonly<Record<string, keyof typeof REASONS>>;

export interface Row {
  case: string;
  here: Verdict['outcome'] | 'absent';
  there: Verdict['outcome'] | 'absent';
  remark: string;
  /** Passed there and not here, without a reason; or excused without need. */
  wrong: boolean;
}

export interface Judged {
  judge: Pick<Judge, 'name' | 'origin'>;
  rows: Row[];
}

/** Puts what a judge said of the two brokers side by side, in the order in which it came. */
export function compare(judge: string, here: readonly Verdict[], there: readonly Verdict[], excuses: Excuses): Row[] {
  const names = new Set([...here, ...there].map((verdict) => verdict.case));
  return [...names].map((name) => {
    const our = here.find((verdict) => verdict.case === name);
    const their = there.find((verdict) => verdict.case === name);
    const excuse = excuses[`${judge}: ${name}`];
    const differs = their?.outcome === 'passed' && our?.outcome !== 'passed';
    return {
      case: name,
      here: our?.outcome ?? 'absent',
      there: their?.outcome ?? 'absent',
      remark: remark(our, their, excuse),
      wrong: differs ? excuse === undefined : excuse !== undefined,
    };
  });
}

function remark(our: Verdict | undefined, their: Verdict | undefined, excuse: Excuses[string] | undefined): string {
  if (excuse !== undefined) return our?.outcome === 'passed' ? `needs no excuse: ${REASONS[excuse]}` : REASONS[excuse];
  if (our?.outcome !== 'passed') return our?.why ?? '';
  return their?.outcome === 'passed' ? '' : `there: ${their?.why ?? 'not run'}`;
}

export interface Circumstances {
  date: string;
  machine: string;
  kafkaVersion: string;
}

/** The report, as Markdown. */
export function describeRun(judged: readonly Judged[], { date, machine, kafkaVersion }: Circumstances): string {
  const all = judged.flatMap(({ rows }) => rows);
  const wrong = all.filter((row) => row.wrong).length;
  const lines = [
    '# What other people’s tests say',
    '',
    `Clients and suites that nobody here wrote, run against this broker and against Apache Kafka ${kafkaVersion} with one broker,`,
    'side by side in the same run. `npm run judges` fetches them by name and version, runs them and writes this file;',
    'it fails where a case passes there and not here without one of these reasons:',
    `${Object.values(REASONS).join('; ')}.`,
    '',
    `Last run: ${date}, ${machine}. ${all.length} cases; ${wrong === 0 ? 'no difference without a reason' : `**${wrong} differences without a reason**`}.`,
    '',
    ...table(
      ['judge', 'cases', 'passed here', 'passed there', 'differences without a reason'],
      judged.map(({ judge, rows }) => [
        judge.origin,
        String(rows.length),
        String(rows.filter(({ here }) => here === 'passed').length),
        String(rows.filter(({ there }) => there === 'passed').length),
        String(rows.filter((row) => row.wrong).length),
      ]),
    ),
  ];
  for (const { judge, rows } of judged) {
    const cells = rows.map((row) => [row.case, row.here, row.there, row.wrong ? `**${row.remark}**` : row.remark]);
    lines.push('', `## ${judge.name}`, '', ...table(['case', 'here', 'Apache Kafka', 'remark'], cells));
  }
  return `${lines.join('\n')}\n`;
}

function table(head: string[], rows: string[][]): string[] {
  const line = (cells: string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)];
}

function cell(text: string): string {
  const short = text.length > 160 ? `${text.slice(0, 160)}…` : text;
  return short.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
