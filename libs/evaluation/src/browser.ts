/** What a page may import: the shape of a diff, and the words for it. No Node.js modules, no streams. */
export * from './volume-diff.ts';
export * from './wording.ts';
