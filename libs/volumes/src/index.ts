/** Volumes without a broker: streams in this process, over an engine or a snapshot; and the way to whichever is there. */
export { clusterClient, connectVolumes } from './cluster-client.ts';
export { VolumeError } from './errors.ts';
export { inProcessClient } from './in-process-client.ts';
export { type OpenStreams, type OpenStreamsOptions, openStreams } from './open-streams.ts';
export { type OpenVolumeOptions, openVolume, type VolumeView } from './open-volume.ts';
export { type ReadRange, readRange } from './read-range.ts';
