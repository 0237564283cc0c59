import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { judgesFolder } from '@tickfold/testkit/apache-kafka';
import type { Judge } from './judge.ts';
import { readReport, sources } from './program-judge.ts';
import { mustRun } from './programs.ts';

const packages = { 'kafka-python': '3.0.12', 'confluent-kafka': '2.16.1' };
const folder = join(judgesFolder, 'python');
const python = join(folder, 'bin/python');

/** The two Python clients that are used most. */
export const pythonClients: Judge[] = [
  clientJudge('kafka-python', 'kafka_python_cases.py'),
  clientJudge('confluent-kafka', 'confluent_kafka_cases.py'),
];

function clientJudge(name: keyof typeof packages, script: string): Judge {
  return {
    name,
    origin: `${name} ${packages[name]} (PyPI)`,
    async prepare() {
      await makePython();
    },
    async hearings() {
      return [
        {
          title: name,
          run: (subject) => readReport(name, python, [join(sources, script), subject.bootstrap], subject),
        },
      ];
    },
  };
}

/** Makes an environment with the packages, unless it is there. @returns its interpreter */
export async function makePython(): Promise<string> {
  if (existsSync(join(folder, 'made'))) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(judgesFolder, { recursive: true });
  await mustRun('python3', ['-m', 'venv', folder]);
  const wanted = Object.entries(packages).map(([name, version]) => `${name}==${version}`);
  await mustRun(python, ['-m', 'pip', 'install', '-q', 'setuptools', 'wheel', ...wanted], { timeoutMs: 5 * 60_000 });
  await mkdir(join(folder, 'made'));
  return python;
}
