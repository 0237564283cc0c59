/** What a page may import: the shape of a diff. No Node.js modules. */
export * from './volume-diff.ts';
