/**
 * A disk in memory that fails on purpose: it loses power and keeps any of what was not synced, it fails single calls,
 * it is full, it completes calls late and out of order, it flips bits. What it does follows from its seed.
 *
 * It gives away nothing that a real disk does not promise: bytes are safe once `sync` of their file has resolved, names
 * once `syncFolder` of their folder has, and a rename happens whole or not at all.
 */
import { basename, dirname, sep } from 'node:path';
import type { Disk, DiskEntry, DiskFile, FolderLock, FolderLocks } from '@tickfold/log-engine';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedFile } from './simulated-file.ts';
import { type SimulatedEntry, SimulatedFolder, SimulatedNames } from './simulated-names.ts';

export { SeededRandom } from './seeded-random.ts';
export { SECTOR_BYTES } from './simulated-file.ts';

/** What the engine may ask of a disk. */
export type DiskCall =
  | 'open'
  | 'create'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'close'
  | 'list'
  | 'look'
  | 'makeFolder'
  | 'rename'
  | 'remove'
  | 'removeFolder'
  | 'syncFolder'
  | 'link'
  | 'copy'
  | 'freeBytes';

export interface Fault {
  call: DiskCall;
  /** Of the system's error. */
  code: 'EIO' | 'ENOSPC' | 'EMFILE' | 'EACCES' | 'ENOTEMPTY';
  /** Only paths that hold this text; a file goes by the path that it was opened under. */
  path?: string;
  /** So many calls that match go well before. Default 0. */
  after?: number;
  /** So many calls that match fail, one after the other. Default 1. */
  times?: number;
}

export interface FaultyDiskOptions {
  seed: number;
  /** Calls take their time, and one that came later may be done earlier. */
  isLate?: boolean;
  /** `sync` resolves and does nothing: whoever checks the engine must notice. */
  syncIsALie?: boolean;
  /** Size of the disk; a write that does not fit puts down what does, then fails. */
  capacityBytes?: number;
}

/** A call was made of a process that is no more, or whose machine has lost power. */
export class DiskGoneError extends Error {
  override readonly name = 'DiskGoneError';
}

/** What a call has done that did not get to its end. */
interface InPart {
  onFault?: () => void;
  onCrash?: () => void;
}

const MAX_DELAY_TICKS = 12;

/** What outlives a crash. */
interface Platter {
  random: SeededRandom;
  names: SimulatedNames;
  injected: Map<string, number>;
}

export class FaultyDisk implements Disk {
  readonly locks: FolderLocks = new SimulatedLocks(() => this.#checkThere());
  /** Calls that were made since this disk was mounted. */
  calls = 0;
  /** Bytes that the disk holds at most. */
  capacityBytes: number;
  isLate: boolean;
  readonly syncIsALie: boolean;
  readonly #platter: Platter;
  readonly #random: SeededRandom;
  #faults: (Fault & { after: number; times: number })[] = [];
  #crashAt = Number.POSITIVE_INFINITY;
  #isGone = false;
  #openFiles = 0;

  constructor(options: FaultyDiskOptions, platter?: Platter) {
    this.isLate = options.isLate ?? false;
    this.syncIsALie = options.syncIsALie ?? false;
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
    const random = new SeededRandom(options.seed);
    this.#platter = platter ?? { random, names: new SimulatedNames(), injected: new Map() };
    this.#random = this.#platter.random.fork();
  }

  /** True after a crash: nothing that is called here reaches the disk any more. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** How often each fault was injected, crashes and lost power among them. */
  get injected(): ReadonlyMap<string, number> {
    return this.#platter.injected;
  }

  /** Files that were opened and not closed. */
  get openFiles(): number {
    return this.#openFiles;
  }

  get usedBytes(): number {
    return bytesUnder(this.#platter.names.root, new Set());
  }

  fail(fault: Fault): void {
    this.#faults.push({ ...fault, after: fault.after ?? 0, times: fault.times ?? 1 });
  }

  heal(): void {
    this.#faults = [];
    this.capacityBytes = Number.POSITIVE_INFINITY;
  }

  /** The disk is gone at the k-th call from now on, 1 being the next: that one may have done its work, or part of it. */
  crashAfter(callCount: number): void {
    this.#crashAt = this.calls + callCount;
  }

  /** Nothing that is called from now on reaches the disk. */
  crash(): void {
    this.#isGone = true;
  }

  /** The process ends now, as by `kill -9`. Gives the disk as the next process finds it. */
  afterKill(): FaultyDisk {
    return this.#mountAgain('kill');
  }

  /** The machine loses power now. Gives the disk as it is when power is back. */
  afterPowerLoss(): FaultyDisk {
    this.crash();
    this.#platter.names.losePower(this.#platter.random);
    return this.#mountAgain('power loss');
  }

  /** Flips one bit of a file, where the disk keeps it. */
  flipBit(path: string, position: number, bit: number): void {
    const file = this.#file(path, 'flip');
    const byte = file.content[position];
    if (byte === undefined) throw new RangeError(`${path} has no byte ${position}`);
    this.#count('bit flip');
    file.damage(position, Buffer.from([byte ^ (1 << bit)]));
  }

  /** Puts bytes that belong elsewhere over those of a file. */
  misdirect(path: string, position: number, bytes: Buffer): void {
    this.#count('misdirected write');
    this.#file(path, 'misdirect').damage(position, bytes);
  }

  /** Content of a file as the system shows it. */
  contentOf(path: string): Buffer {
    return Buffer.from(this.#file(path, 'look').content);
  }

  /** Paths of all files under a folder. */
  filesUnder(folder: string): string[] {
    const entry = this.#platter.names.find(namesOf(folder));
    if (!(entry instanceof SimulatedFolder)) return [];
    return [...entry.shown].flatMap(([name, inside]) => {
      const path = folder + sep + name;
      return inside instanceof SimulatedFolder ? this.filesUnder(path) : [path];
    });
  }

  async openForReading(path: string): Promise<DiskFile> {
    return this.#call('open', path, () => this.#opened(path, this.#file(path, 'open')));
  }

  async openForWriting(path: string): Promise<DiskFile> {
    return this.openForReading(path);
  }

  async create(path: string): Promise<DiskFile> {
    return this.#call('create', path, () => this.#opened(path, this.#created(path)));
  }

  async list(folder: string): Promise<string[] | undefined> {
    return this.#call('list', folder, () => {
      const entry = this.#platter.names.find(namesOf(folder));
      return entry instanceof SimulatedFolder ? [...entry.shown.keys()] : undefined;
    });
  }

  async makeFolder(path: string): Promise<void> {
    return this.#call('makeFolder', path, () => {
      let folder = this.#platter.names.root;
      for (const name of namesOf(path)) {
        let entry = folder.shown.get(name);
        if (entry === undefined) {
          entry = new SimulatedFolder();
          this.#platter.names.apply({ folder, name, entry });
        }
        if (!(entry instanceof SimulatedFolder)) throw systemError('EEXIST', 'mkdir', path);
        folder = entry;
      }
    });
  }

  async rename(from: string, to: string): Promise<void> {
    return this.#call('rename', to, () => {
      const [source, target] = [this.#place(from, 'rename'), this.#place(to, 'rename')];
      const entry = source.folder.shown.get(source.name);
      if (entry === undefined) throw systemError('ENOENT', 'rename', from);
      const there = target.folder.shown.get(target.name);
      if (there instanceof SimulatedFolder && there.shown.size > 0) throw systemError('ENOTEMPTY', 'rename', to);
      this.#platter.names.apply({ ...source, entry: undefined }, { ...target, entry });
    });
  }

  async remove(path: string): Promise<void> {
    return this.#call('remove', path, () => {
      const parent = this.#platter.names.find(namesOf(dirname(path)));
      if (!(parent instanceof SimulatedFolder) || !parent.shown.has(basename(path))) return;
      this.#platter.names.apply({ folder: parent, name: basename(path), entry: undefined });
    });
  }

  async removeFolder(path: string): Promise<void> {
    return this.#call('removeFolder', path, () => {
      const parent = this.#platter.names.find(namesOf(dirname(path)));
      if (parent instanceof SimulatedFolder && parent.shown.has(basename(path)))
        this.#removeAll(parent, basename(path));
    });
  }

  async syncFolder(path: string): Promise<void> {
    return this.#call('syncFolder', path, () => {
      const folder = this.#platter.names.find(namesOf(path));
      if (!(folder instanceof SimulatedFolder)) throw systemError('ENOENT', 'fsync', path);
      if (!this.syncIsALie) this.#platter.names.sync(folder);
    });
  }

  async look(path: string): Promise<DiskEntry | undefined> {
    return this.#call('look', path, () => {
      const entry = this.#platter.names.find(namesOf(path));
      if (entry === undefined) return undefined;
      if (entry instanceof SimulatedFolder) return { kind: 'folder', isSymbolicLink: false, sizeBytes: 0 };
      return { kind: 'file', isSymbolicLink: false, sizeBytes: entry.sizeBytes };
    });
  }

  async link(from: string, to: string): Promise<void> {
    return this.#call('link', to, () => {
      const entry = this.#file(from, 'link');
      const target = this.#place(to, 'link');
      if (target.folder.shown.has(target.name)) throw systemError('EEXIST', 'link', to);
      this.#platter.names.apply({ ...target, entry });
    });
  }

  async copy(from: string, to: string): Promise<void> {
    return this.#call('copy', to, () => {
      const content = Buffer.from(this.#file(from, 'copyfile').content);
      const target = this.#place(to, 'copyfile');
      if (target.folder.shown.has(target.name)) throw systemError('EEXIST', 'copyfile', to);
      const copy = this.#created(to);
      this.#writeWithin(copy, to, content, 0);
      copy.sync();
    });
  }

  async freeBytes(path: string): Promise<number> {
    return this.#call('freeBytes', path, () => Math.max(0, this.capacityBytes - this.usedBytes));
  }

  #opened(path: string, file: SimulatedFile): DiskFile {
    this.#openFiles++;
    let isOpen = true;
    const call = <T>(name: DiskCall, work: () => T, inPart: InPart = {}): Promise<T> => {
      const onOpenFile = (): T => {
        if (!isOpen) throw systemError('EBADF', name, path);
        return work();
      };
      return this.#call(name, path, onOpenFile, inPart);
    };
    return {
      sizeBytes: () => call('look', () => file.sizeBytes),
      read: (into, position) => call('read', () => file.read(into, position)),
      write: (buffers, position) => {
        const bytes = Buffer.concat(buffers);
        const writePart = (): void => file.write(bytes.subarray(0, this.#random.below(bytes.length + 1)), position);
        const inPart = { onFault: writePart, onCrash: writePart };
        return call('write', () => this.#writeWithin(file, path, bytes, position), inPart);
      },
      sync: () => {
        const sync = (): void => {
          if (!this.syncIsALie) file.sync();
        };
        return call('sync', sync, { onFault: () => file.failToSync(this.#random) });
      },
      truncate: (sizeBytes) => call('truncate', () => file.truncate(sizeBytes)),
      close: () =>
        call('close', () => {
          isOpen = false;
          this.#openFiles--;
        }),
    };
  }

  async #call<T>(name: DiskCall, path: string, work: () => T, inPart: InPart = {}): Promise<T> {
    this.#checkThere();
    if (this.isLate) await this.#delay();
    this.#checkThere();
    this.calls++;
    if (this.calls >= this.#crashAt) this.#crashDuring(work, inPart);
    const code = this.#faultOf(name, path);
    if (code !== undefined) {
      this.#count(`${code} of ${name}`);
      inPart.onFault?.();
      throw systemError(code, name, path);
    }
    const result = work();
    if (this.isLate) {
      await this.#delay();
      this.#checkThere();
    }
    return result;
  }

  /** The call was done, done in part, or not begun, and nobody learns which. */
  #crashDuring(work: () => unknown, { onCrash }: InPart): never {
    this.#isGone = true;
    const outcome = this.#random.below(3);
    if (outcome === 0) work();
    else if (outcome === 1) onCrash?.();
    throw gone();
  }

  async #delay(): Promise<void> {
    for (let ticks = this.#random.below(MAX_DELAY_TICKS); ticks > 0; ticks--) await undefined;
  }

  #faultOf(name: DiskCall, path: string): string | undefined {
    const fault = this.#faults.find(({ call, path: part }) => call === name && path.includes(part ?? ''));
    if (fault === undefined) return undefined;
    if (fault.after-- > 0) return undefined;
    if (--fault.times <= 0) this.#faults = this.#faults.filter((other) => other !== fault);
    return fault.code;
  }

  #checkThere(): void {
    if (this.#isGone) throw gone();
  }

  #mountAgain(why: string): FaultyDisk {
    this.crash();
    this.#count(why);
    const { isLate, syncIsALie } = this;
    return new FaultyDisk({ seed: 0, isLate, syncIsALie }, this.#platter);
  }

  #count(what: string): void {
    this.#platter.injected.set(what, (this.#platter.injected.get(what) ?? 0) + 1);
  }

  #writeWithin(file: SimulatedFile, path: string, bytes: Buffer, position: number): void {
    if (this.capacityBytes !== Number.POSITIVE_INFINITY) {
      const grows = Math.max(0, position + bytes.length - file.sizeBytes);
      const fits = Math.max(0, this.capacityBytes - this.usedBytes);
      if (grows > fits) {
        this.#count('disk full');
        file.write(bytes.subarray(0, Math.max(0, bytes.length - (grows - fits))), position);
        throw systemError('ENOSPC', 'write', path);
      }
    }
    file.write(bytes, position);
  }

  #created(path: string): SimulatedFile {
    const { folder, name } = this.#place(path, 'open');
    const there = folder.shown.get(name);
    if (there instanceof SimulatedFolder) throw systemError('EISDIR', 'open', path);
    if (there !== undefined) {
      there.truncate(0);
      return there;
    }
    const file = new SimulatedFile();
    this.#platter.names.apply({ folder, name, entry: file });
    return file;
  }

  #file(path: string, syscall: string): SimulatedFile {
    const entry = this.#platter.names.find(namesOf(path));
    if (entry === undefined) throw systemError('ENOENT', syscall, path);
    if (entry instanceof SimulatedFolder) throw systemError('EISDIR', syscall, path);
    return entry;
  }

  #place(path: string, syscall: string): { folder: SimulatedFolder; name: string } {
    const folder = this.#platter.names.find(namesOf(dirname(path)));
    if (!(folder instanceof SimulatedFolder)) throw systemError('ENOENT', syscall, path);
    return { folder, name: basename(path) };
  }

  /** Name by name, as the system does it: a power cut may leave any of them. */
  #removeAll(parent: SimulatedFolder, name: string): void {
    const entry = parent.shown.get(name);
    if (entry instanceof SimulatedFolder) for (const inside of [...entry.shown.keys()]) this.#removeAll(entry, inside);
    this.#platter.names.apply({ folder: parent, name, entry: undefined });
  }
}

/** Owners live and die with their disk's process. */
class SimulatedLocks implements FolderLocks {
  readonly #held = new Set<string>();
  readonly #check: () => void;

  constructor(check: () => void) {
    this.#check = check;
  }

  lockFolder(folder: string): Promise<FolderLock> {
    return this.hold(folder, '.lock');
  }

  async hold(folder: string, name: string): Promise<FolderLock> {
    this.#check();
    const path = folder + sep + name;
    if (this.#held.has(path)) throw new Error(`${path} is held already`);
    this.#held.add(path);
    return {
      release: async () => {
        this.#held.delete(path);
      },
    };
  }

  async isHeld(folder: string, name: string): Promise<boolean> {
    this.#check();
    return this.#held.has(folder + sep + name);
  }

  async forgetHold(): Promise<void> {
    // Nothing is left of a dead holder here.
  }
}

function gone(): DiskGoneError {
  return new DiskGoneError('this process has no disk any more');
}

function namesOf(path: string): string[] {
  return path.split(sep).filter((name) => name !== '');
}

function bytesUnder(entry: SimulatedEntry, seen: Set<SimulatedEntry>): number {
  if (seen.has(entry)) return 0;
  seen.add(entry);
  if (entry instanceof SimulatedFile) return entry.sizeBytes;
  let sum = 0;
  for (const inside of entry.shown.values()) sum += bytesUnder(inside, seen);
  return sum;
}

function systemError(code: string, syscall: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${syscall} ${path}`), { code, syscall, path });
}
