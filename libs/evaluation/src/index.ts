export * from './volume-diff.ts';
