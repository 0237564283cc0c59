export * from './names.ts';
export * from './simulator/index.ts';
export * from './tick.ts';
export * from './topics.ts';
