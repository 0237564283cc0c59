export * from './api.ts';
export { type Disk, type DiskEntry, type DiskFile, nodeDisk } from './disk.ts';
export { openLogEngine } from './engine.ts';
export { ENGINE_ERRORS, EngineError, type EngineErrorCode, type ErrorActor } from './errors.ts';
export { type FolderLock, type FolderLocks, isFolderOwned } from './folder-lock.ts';
export { volumeOfGroup, volumeOfSnapshot, volumeOfTopic } from './names.ts';
export { deleteSnapshot, listSnapshots } from './snapshot-folder.ts';
export { openSnapshot } from './snapshot-reader.ts';
export { stageVolume } from './staged-volume.ts';
