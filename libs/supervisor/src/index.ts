export * from './free-port.ts';
export { type ServiceEvent, ServiceFailed, type ServiceSpec } from './service.ts';
export * from './supervise.ts';
export type { TaskSpec } from './task.ts';
