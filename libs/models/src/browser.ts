/** What a page may import: the sentence behind a decision, and what a parameter looks like. No Node.js modules, no Avro. */
export * from './explain.ts';
export type { ParameterSpec, ParameterSpecs } from './parameters.ts';
