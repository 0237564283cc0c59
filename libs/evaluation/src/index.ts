export type { ComparedVolume } from './compared-volume.ts';
export * from './diff-volumes.ts';
export * from './errors.ts';
export * from './volume-diff.ts';
