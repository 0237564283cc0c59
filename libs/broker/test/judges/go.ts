import { existsSync, statSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { judgesFolder } from '@tickfold/testkit/apache-kafka';
import { mustRun } from '@tickfold/testkit/programs';
import type { Judge } from './judge.ts';
import { readReport, sources } from './program-judge.ts';

const source = join(sources, 'franz-go');
const folder = join(judgesFolder, 'franz-go');
const program = join(folder, 'judge');

/** The client of most Kafka UIs and tools that are written in Go. */
export const franzGo: Judge = {
  name: 'franz-go',
  origin: 'franz-go 1.22.2 (Go module)',
  async prepare() {
    if (existsSync(program) && statSync(program).mtimeMs > statSync(join(source, 'main.go')).mtimeMs) return;
    await rm(folder, { recursive: true, force: true });
    await cp(source, folder, { recursive: true });
    // Notes the hashes of what it fetches beside the copy.
    await mustRun('go', ['build', '-mod=mod', '-o', program, '.'], { cwd: folder, timeoutMs: 10 * 60_000 });
  },
  async hearings() {
    return [{ title: 'franz-go', run: (subject) => readReport('franz-go', program, [subject.bootstrap], subject) }];
  },
};
