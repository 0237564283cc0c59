import { join } from 'node:path';
import { makePython, pythonPackages } from '@tickfold/testkit/python';
import type { Judge } from './judge.ts';
import { readReport, sources } from './program-judge.ts';

/** The two Python clients that are used most. */
export const pythonClients: Judge[] = [
  clientJudge('kafka-python', 'kafka_python_cases.py'),
  clientJudge('confluent-kafka', 'confluent_kafka_cases.py'),
];

function clientJudge(name: keyof typeof pythonPackages, script: string): Judge {
  return {
    name,
    origin: `${name} ${pythonPackages[name]} (PyPI)`,
    async prepare() {
      await makePython();
    },
    async hearings() {
      return [
        {
          title: name,
          run: async (subject) =>
            readReport(name, await makePython(), [join(sources, script), subject.bootstrap], subject),
        },
      ];
    },
  };
}
