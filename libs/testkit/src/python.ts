import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { judgesFolder } from './kafka-artifacts.ts';
import { mustRun } from './programs.ts';

/** Published clients, and the versions that are judged. */
export const pythonPackages = { 'kafka-python': '3.0.12', 'confluent-kafka': '2.16.1' };

const folder = join(judgesFolder, 'python');
const python = join(folder, 'bin/python');

/** Makes an environment with the packages, unless it is there. @returns its interpreter */
export async function makePython(): Promise<string> {
  if (existsSync(join(folder, 'made'))) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(judgesFolder, { recursive: true });
  await mustRun('python3', ['-m', 'venv', folder]);
  const wanted = Object.entries(pythonPackages).map(([name, version]) => `${name}==${version}`);
  await mustRun(python, ['-m', 'pip', 'install', '-q', 'setuptools', 'wheel', ...wanted], { timeoutMs: 5 * 60_000 });
  await mkdir(join(folder, 'made'));
  return python;
}
