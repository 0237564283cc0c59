import type { ReplayResult, VolumeDiff } from '@tickfold/evaluation';
import type { SnapshotArchive, SnapshotManifest, SnapshotVerification } from '@tickfold/log-engine';
import type { Model, Promotion, Run } from '@tickfold/market';
import type { Model as ModelAtWork } from '@tickfold/models';
import type { SnapshotInfo, VolumeInfo } from '@tickfold/stream';

/** A volume with the last run that wrote to it, where its writer says so. */
export interface VolumeEntry extends VolumeInfo {
  run: Run | null;
}

export interface ReplayRequest {
  model: ModelAtWork;
  /** `market@open` */
  from: string;
  /** The volume to make. */
  into: string;
}

/** Everything that commands ask of Tickfold, running or not. Failures are errors that carry a `mend`. */
export interface System {
  /** Oldest first. A damaged one is told on the standard error output, and left out. */
  snapshots(): Promise<SnapshotManifest[]>;
  /** @param others volumes that are frozen at the same cut */
  createSnapshot(name: string, others: readonly string[]): Promise<SnapshotInfo>;
  deleteSnapshot(name: string): Promise<void>;
  verifySnapshot(name: string): Promise<SnapshotVerification>;
  /** @param path of the new file */
  exportSnapshot(name: string, path: string): Promise<SnapshotArchive>;
  /** @param as another name for it */
  importSnapshot(path: string, as: string | undefined): Promise<SnapshotManifest>;
  /** Gives the volume's name. @param volume which of the snapshot's; undefined: the one that its name begins with */
  restoreSnapshot(name: string, volume: string | undefined): Promise<string>;

  /** By name. */
  volumes(): Promise<VolumeEntry[]>;
  /** @param mayRun whether a version that runs may own it: refused then while the system runs */
  deleteVolume(name: string, mayRun: boolean): Promise<void>;

  /** A name that no volume has yet, for the next replay: `try-1`, `try-2`. */
  freeVolumeName(): Promise<string>;
  replay(request: ReplayRequest): Promise<ReplayResult>;
  /** With a description for people. */
  diff(a: string, b: string): Promise<{ diff: VolumeDiff; description: string }>;

  /** Resolves with the answer, whatever it is. */
  promote(model: Model): Promise<Promotion>;
  rollback(): Promise<Promotion>;
  /** The audit stream, oldest first; empty where nobody has been champion yet. */
  promotions(): Promise<Promotion[]>;
  /** Null while nobody is. */
  champion(): Promise<Model | null>;
}
