import { type Disk, type DiskFile, nodeDisk } from '../src/disk.ts';

/** Stands for the end of the process: it is thrown by that call of the disk, and by each one after it. */
class Stopped extends Error {}

export function isStopped(error: unknown): boolean {
  return error instanceof Stopped || (error instanceof Error && error.cause !== undefined && isStopped(error.cause));
}

/** The machine's disk up to a certain call that changes something; from there on nothing reaches it any more. */
export function stoppingDisk(stopAfter: number): {
  disk: Disk;
  /** So many calls there were. */
  calls: () => number;
  /** The process ends after so many more. */
  stopIn: (calls: number) => void;
} {
  let calls = 0;
  let stopAt = stopAfter;
  const reach = (): void => {
    if (++calls > stopAt) throw new Stopped(`the process ended at call ${stopAt + 1}`);
  };
  const counted =
    <Arguments extends unknown[], Result>(work: (...args: Arguments) => Promise<Result>) =>
    async (...args: Arguments): Promise<Result> => {
      reach();
      return work(...args);
    };
  const file = (opened: DiskFile): DiskFile => ({
    ...opened,
    write: counted(opened.write),
    sync: counted(opened.sync),
    truncate: counted(opened.truncate),
  });
  const disk: Disk = {
    ...nodeDisk,
    create: counted(async (path) => file(await nodeDisk.create(path))),
    openForWriting: async (path) => file(await nodeDisk.openForWriting(path)),
    makeFolder: counted(nodeDisk.makeFolder),
    rename: counted(nodeDisk.rename),
    remove: counted(nodeDisk.remove),
    removeFolder: counted(nodeDisk.removeFolder),
    syncFolder: counted(nodeDisk.syncFolder),
    link: counted(nodeDisk.link),
    copy: counted(nodeDisk.copy),
  };
  const stopIn = (more: number): void => {
    stopAt = calls + more;
  };
  return { disk, calls: () => calls, stopIn };
}
