export * from './api.ts';
export { openLogEngine } from './engine.ts';
export { ENGINE_ERRORS, EngineError, type EngineErrorCode, type ErrorActor } from './errors.ts';
export { volumeOfGroup, volumeOfTopic } from './names.ts';
