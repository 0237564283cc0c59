import { modelOfVolume } from '@tickfold/market';
import { findModel } from '@tickfold/models';
import { preparedQueries } from '@tickfold/query';
import type { DiffRequest, QueryRequest, ReplayRequest } from './contract.ts';
import { asProblems } from './library-problem.ts';
import { ProblemError } from './problem.ts';
import type { Workbench } from './workbench.ts';

/** What can be refused at once is refused here, by its value; the rest fails in the job. */

/** Volumes that others write. */
const TAKEN = ['market', 'live', 'default'];
/** As the log engine has it. */
const VOLUME_NAME = /^[a-z0-9][a-z0-9_-]{0,99}$/;

/**
 * @param underWay volumes that replays are making
 * @throws ProblemError
 */
export async function checkReplay(
  request: ReplayRequest,
  workbench: Workbench,
  underWay: () => string[],
): Promise<void> {
  const { model, parameters, into, from } = request;
  await asProblems(async () => findModel(model).create(parameters));
  checkTarget(into);
  const volumes = await asProblems(() => workbench.volumes());
  if (volumes.some(({ name }) => name === into)) {
    throw new ProblemError(
      409,
      `The volume ${into} exists. Choose another name, or delete it: npx tickfold volume delete ${into}.`,
    );
  }
  mustBeThere('snapshot', from, await snapshotNames(workbench));
  if (underWay().includes(into)) {
    throw new ProblemError(409, `A replay into ${into} is under way. Wait for it, or choose another name.`);
  }
}

/** @throws ProblemError */
export async function checkDiff({ a, b }: DiffRequest, workbench: Workbench): Promise<void> {
  const volumes = (await asProblems(() => workbench.volumes())).map(({ name }) => name);
  const snapshots = [a, b].some(isSnapshot) ? await snapshotNames(workbench) : [];
  for (const ref of [a, b]) {
    if (isSnapshot(ref)) mustBeThere('snapshot', ref, snapshots);
    else mustBeThere('volume', ref, volumes);
  }
}

/** @throws ProblemError */
export function checkQuery({ name, model }: QueryRequest, models: readonly string[]): void {
  const names = preparedQueries.map((query) => query.name);
  mustBeThere('prepared query', name, names);
  mustBeThere('running model version', model, models, 400);
}

function checkTarget(into: string): void {
  if (!VOLUME_NAME.test(into)) {
    throw new ProblemError(
      400,
      `"${into}" is no volume's name. Use a-z 0-9 _ -, beginning with a letter or digit, at most 100: try-1.`,
    );
  }
  if (TAKEN.includes(into) || modelOfVolume(into) !== undefined) {
    throw new ProblemError(400, `The volume ${into} belongs to what runs live. Name one that is not there yet: try-1.`);
  }
}

const isSnapshot = (ref: string): boolean => ref.includes('@');

async function snapshotNames(workbench: Workbench): Promise<string[]> {
  return (await asProblems(() => workbench.snapshots())).map(({ name }) => name);
}

function mustBeThere(what: string, name: string, known: readonly string[], otherwise = 404): void {
  if (known.includes(name)) return;
  const there = known.length === 0 ? 'There is none yet.' : `Choose from: ${[...known].sort().join(', ')}.`;
  throw new ProblemError(otherwise, `There is no ${what} ${name}. ${there}`);
}
