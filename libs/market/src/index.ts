export * from './names.ts';
export * from './tick.ts';
export * from './topics.ts';
