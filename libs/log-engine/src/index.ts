export * from './api.ts';
export { openLogEngine } from './engine.ts';
export { ENGINE_ERRORS, EngineError, type EngineErrorCode, type ErrorActor } from './errors.ts';
export { isFolderOwned } from './folder-lock.ts';
export { volumeOfGroup, volumeOfSnapshot, volumeOfTopic } from './names.ts';
export { deleteSnapshot, listSnapshots } from './snapshot-folder.ts';
export { openSnapshot } from './snapshot-reader.ts';
export { stageVolume } from './staged-volume.ts';
