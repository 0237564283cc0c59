export * from './env.ts';
export * from './errors.ts';
export * from './health.ts';
export * from './run-app.ts';
export * from './version.ts';
