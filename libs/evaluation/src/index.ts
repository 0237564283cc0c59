export type { ComparedVolume } from './compared-volume.ts';
export * from './describe-diff.ts';
export * from './diff-volumes.ts';
export * from './errors.ts';
export * from './market-snapshot.ts';
export * from './replay-model.ts';
export * from './volume-diff.ts';
export { lastRunOfVolume } from './volume-run.ts';
export * from './wording.ts';
