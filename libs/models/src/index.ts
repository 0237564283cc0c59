export * from './assumptions.ts';
export * from './errors.ts';
export * from './explain.ts';
export * from './fold.ts';
export type { Model, ModelDefinition } from './model.ts';
export * from './outputs.ts';
export * from './parameters.ts';
export * from './registry.ts';
