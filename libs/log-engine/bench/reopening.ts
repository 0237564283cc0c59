import { type Figure, timeFigure } from '@tickfold/testkit/figures';
import type { BigVolume } from './big-volume.ts';

/** Opening after `kill -9`, each time by a fresh process; then once more without any index. */
export async function measureReopening(volume: BigVolume): Promise<Figure[]> {
  await volume.make();
  const times: number[] = [];
  let sizeBytes = 0;
  for (let round = 0; round < volume.setting.rounds; round++) {
    const report = await volume.open();
    times.push(report.openMs);
    sizeBytes = report.sizeBytes;
  }
  volume.removeIndexes();
  const rebuilt = await volume.open();
  const what = `${(sizeBytes / 1e9).toFixed(1)} GB, ${volume.setting.topics} topics`;
  return [
    timeFigure(`reopen after kill -9, ${what}`, times, 1000),
    timeFigure('the same, every index rebuilt', [rebuilt.openMs]),
  ];
}

/** The memory of a fresh process that has the volume open, and has read and written some. */
export async function measureMemory(volume: BigVolume): Promise<Figure[]> {
  await volume.make();
  const bytes: number[] = [];
  for (let round = 0; round < 3; round++) bytes.push((await volume.use()).memoryBytes);
  const value = Math.round(bytes.sort((a, b) => a - b)[1]! / 1e6);
  return [{ name: `memory, ${volume.setting.topics} topics`, value, unit: 'MB', atMost: 200 }];
}
