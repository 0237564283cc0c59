/**
 * How fast the log engine is, and how much memory it takes. Prints its figures as one line of JSON.
 *
 *   npm run bench -- log [--quick] [--only append --only snapshot …]
 *
 * BENCH_DIR (default: the current folder) must lie on a real disk with 10 GB to spare; a folder inside it is made and
 * removed.
 */
import { parseArgs } from 'node:util';
import type { Figure } from '@tickfold/testkit/figures';
import { measureAppends } from './appends.ts';
import { BigVolume } from './big-volume.ts';
import { measureOneTopic } from './one-topic.ts';
import { measureMemory, measureReopening } from './reopening.ts';
import { measureSequentialRead } from './sequential-read.ts';
import { FULL, QUICK } from './setting.ts';
import { measureSnapshots } from './snapshots.ts';
import { measureManyTopics } from './topics.ts';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});
const setting = options.quick ? QUICK : FULL;
const bigVolume = new BigVolume(setting);

const subjects: Record<string, () => Promise<Figure[]>> = {
  append: () => measureAppends(setting),
  read: () => measureSequentialRead(setting),
  topics: () => measureManyTopics(setting),
  reopen: () => measureReopening(bigVolume),
  'one-topic': () => measureOneTopic(bigVolume),
  snapshot: () => measureSnapshots(bigVolume),
  memory: () => measureMemory(bigVolume),
};

const chosen = options.only ?? Object.keys(subjects);
const unknown = chosen.find((name) => !(name in subjects));
if (unknown === undefined) {
  const figures: Figure[] = [];
  for (const name of chosen) {
    process.stderr.write(`log: measuring ${name} …\n`);
    figures.push(...(await subjects[name]!()));
  }
  console.log(JSON.stringify(figures));
} else {
  const known = Object.keys(subjects).join(', ');
  process.stderr.write(`tickfold: the suite log has nothing called "${unknown}".\nMend: choose among ${known}.\n`);
  process.exitCode = 2;
}
