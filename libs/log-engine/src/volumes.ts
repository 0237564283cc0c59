import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { moveStagedIn, volumeExists } from './adoption.ts';
import type { Visibility, VolumeDescription } from './api.ts';
import { discardFolder, removeDiscarded } from './disk.ts';
import { EngineError } from './errors.ts';
import type { FileCatalog } from './file-catalog.ts';
import { Journal } from './journal.ts';
import type { EngineContext } from './journal-context.ts';
import { JournalState } from './journal-state.ts';
import { tryToRemove } from './leftovers.ts';
import { checkVolumeName, isVolumeName } from './names.ts';
import { recoverJournal } from './recovery.ts';
import { RefusedVolumes } from './refused-volumes.ts';
import { type FinishedVolume, finishedVolume, removeStaging, stagingPath } from './staging-folder.ts';
import { unusable } from './unusable-folder.ts';

const JOURNAL_FOLDER = 'journal';
/** What a deleted volume is called until all of it is removed. */
const TRASH = '.trash-';

export interface VolumesPlace {
  context: EngineContext;
  dataDir: string;
  /** Of volumes that are made. */
  visibility: Visibility;
  /** The only volume that may be here; undefined for any. */
  onlyVolume: string | undefined;
  catalog: FileCatalog;
}

/** What else must know when volumes come and go. */
export interface VolumesOwner {
  /** A journal that held something was opened after the start. */
  onOpened(journals: readonly Journal[]): Promise<void>;
  /** Resolves when nothing needs the volume's files any more. */
  beforeDeletion(volume: string): Promise<void>;
  /** @param topics that were in it, as far as that is known */
  onDeleted(volume: string, topics: readonly string[]): Promise<void>;
}

/** The journals of a data folder by volume: opens, makes, adopts and deletes them, each once at a time. */
export class Volumes {
  /** Those that cannot be opened. */
  readonly refused = new RefusedVolumes();
  readonly #place: VolumesPlace;
  readonly #owner: VolumesOwner;
  readonly #journals = new Map<string, Journal>();
  readonly #creating = new Map<string, Promise<Journal>>();
  readonly #deleting = new Map<string, Promise<void>>();
  #isClosed = false;

  constructor(place: VolumesPlace, owner: VolumesOwner) {
    this.#place = place;
    this.#owner = owner;
  }

  all(): Journal[] {
    return [...this.#journals.values()];
  }

  describe(): VolumeDescription[] {
    return [...this.all().map(describeVolume), ...this.refused.describe()];
  }

  /** Undefined where there is none; see also `refused`. */
  find(volume: string): Journal | undefined {
    return this.#journals.get(volume);
  }

  isBeingDeleted(volume: string): boolean {
    return this.#deleting.has(volume);
  }

  /** @throws EngineError `unknown-volume`, `volume-stopped` */
  existing(volume: string): Journal {
    this.refused.check(volume);
    const journal = this.#deleting.has(volume) ? undefined : this.#journals.get(volume);
    if (journal === undefined) throw this.#unknownVolume(volume);
    return journal;
  }

  /** The volume's journal, made when it is not there yet. */
  async open(volume: string): Promise<Journal> {
    const { onlyVolume } = this.#place;
    if (onlyVolume !== undefined && volume !== onlyVolume) {
      throw new EngineError('illegal-name', `only volume ${onlyVolume} is staged here, not ${volume}`);
    }
    await this.#untilDeleted(volume);
    this.#checkOpen();
    this.refused.check(volume);
    const journal = this.#creating.get(volume) ?? this.#journals.get(volume);
    return journal ?? this.#making(volume, () => this.#create(volume));
  }

  /** Opens the journals that are there, after removing what a deletion left. Other folders are none of ours. */
  async recover(): Promise<void> {
    const { disk } = this.#place.context;
    const names = (await disk.list(this.#place.dataDir)) ?? [];
    for (const name of names.filter((other) => other.startsWith(TRASH))) {
      const path = join(this.#place.dataDir, name);
      await this.#tryToRemove(path, () => removeDiscarded(disk, path));
    }
    for (const volume of names.filter(isVolumeName).sort()) await this.#recoverOrRefuse(volume);
  }

  /** See `LogEngine.adoptVolume`. */
  async adopt(stagingId: string): Promise<VolumeDescription> {
    const { context, dataDir } = this.#place;
    const finished = await finishedVolume(context.disk, dataDir, stagingId);
    const { volume } = finished;
    checkVolumeName(volume);
    await this.#untilDeleted(volume);
    this.#checkOpen();
    if (this.#journals.has(volume) || this.#creating.has(volume)) throw volumeExists(volume);
    return describeVolume(await this.#making(volume, () => this.#takeIn(stagingId, finished)));
  }

  /** See `LogEngine.deleteVolume`. */
  delete(volume: string): Promise<void> {
    if (!isVolumeName(volume) || this.#deleting.has(volume)) throw this.#unknownVolume(volume);
    const deleting = this.#delete(volume).finally(() => this.#deleting.delete(volume));
    this.#deleting.set(volume, deleting);
    return deleting;
  }

  /** Begins nothing more; resolves when nothing is being made or deleted. */
  async settle(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([...this.#creating.values(), ...this.#deleting.values()]);
  }

  async closeJournals(): Promise<void> {
    await Promise.all(this.all().map((journal) => journal.close()));
  }

  async #takeIn(stagingId: string, finished: FinishedVolume): Promise<Journal> {
    const { context, dataDir } = this.#place;
    await moveStagedIn(context, { ...finished, dataDir, id: stagingId, journalFolder: JOURNAL_FOLDER });
    const journal = await this.#create(finished.volume);
    // The volume is in place: what is left of its staging is swept later, if not now.
    await this.#tryToRemove(stagingPath(dataDir, stagingId), () => removeStaging(context.disk, dataDir, stagingId));
    return journal;
  }

  async #delete(volume: string): Promise<void> {
    const { disk } = this.#place.context;
    await this.#creating.get(volume)?.catch(() => undefined);
    // Who comes after the deletion must not be given what was made before it.
    this.#creating.delete(volume);
    const journal = this.#journals.get(volume);
    const folder = join(this.#place.dataDir, volume);
    if (journal === undefined && (await disk.look(folder)) === undefined) throw this.#unknownVolume(volume);
    const topics = [...(journal?.durable.topics.keys() ?? [])];
    this.#journals.delete(volume);
    await this.#owner.beforeDeletion(volume);
    await journal?.closeDeleted();
    try {
      const trash = `${TRASH}${volume}-${randomBytes(8).toString('hex')}`;
      await discardFolder(disk, folder, join(this.#place.dataDir, trash));
    } catch (error) {
      const found = await this.#recover(volume);
      if (found !== undefined) await this.#owner.onOpened([found]);
      throw unusable(folder, error);
    }
    const wasRefused = this.refused.forget(volume);
    // Readers that were under way may have opened files once more; a new volume of this name must not be served them.
    journal?.forgetInMemory();
    await this.#owner.onDeleted(volume, topics);
    if (wasRefused) await this.#owner.onOpened(this.all());
  }

  /** A volume that cannot be opened keeps no other one from being opened. */
  async #recoverOrRefuse(volume: string): Promise<void> {
    try {
      await this.#recover(volume);
    } catch (error) {
      this.#place.context.onEvent(this.refused.add(volume, error));
    }
  }

  /** Undefined where that folder holds no journal. */
  async #recover(volume: string): Promise<Journal | undefined> {
    const journal = await recoverJournal(this.#place.context, volume, this.#journalFolder(volume));
    if (journal === undefined) return undefined;
    await this.#place.catalog.recover(journal);
    this.#journals.set(volume, journal);
    return journal;
  }

  /** Lets everyone who comes meanwhile wait for the same journal, and has them go on in the order in which they came. */
  #making(volume: string, make: () => Promise<Journal>): Promise<Journal> {
    const making = make();
    const forget = (): void => {
      if (this.#creating.get(volume) === making) this.#creating.delete(volume);
    };
    this.#creating.set(volume, making);
    // Those that waited go on before anything else happens; who comes until then must not be faster.
    making.then(() => setImmediate(forget), forget);
    return making;
  }

  /** Recovers the journal where there is one: an adoption that failed behind its move has left the volume in place. */
  async #create(volume: string): Promise<Journal> {
    const { context, dataDir, visibility } = this.#place;
    const folder = this.#journalFolder(volume);
    try {
      const found = await this.#recover(volume);
      if (found !== undefined) {
        await this.#owner.onOpened([found]);
        return found;
      }
      await context.disk.makeFolder(folder);
      await context.disk.syncFolder(dataDir);
      await context.disk.syncFolder(dirname(folder));
    } catch (error) {
      throw unusable(folder, error);
    }
    const journal = new Journal(context, {
      volume,
      folder,
      volumeId: randomBytes(16),
      appended: new JournalState(visibility),
      durable: new JournalState(visibility),
      sealed: [],
      active: undefined,
      nextSegmentNumber: 1,
    });
    this.#journals.set(volume, journal);
    return journal;
  }

  async #tryToRemove(path: string, remove: () => Promise<void>): Promise<void> {
    const { onEvent } = this.#place.context;
    await tryToRemove(path, (detail) => onEvent({ kind: 'leftover-stays', detail }), remove);
  }

  async #untilDeleted(volume: string): Promise<void> {
    await this.#deleting.get(volume)?.catch(() => undefined);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new EngineError('volume-stopped', `${this.#place.dataDir} is closed`);
  }

  #unknownVolume(volume: string): EngineError {
    const names = [...this.#journals.keys()].sort();
    const there = names.length === 0 ? 'there is none' : `there are: ${names.join(', ')}`;
    return new EngineError('unknown-volume', `there is no volume ${volume}; ${there}`);
  }

  #journalFolder(volume: string): string {
    return join(this.#place.dataDir, volume, JOURNAL_FOLDER);
  }
}

function describeVolume({ volume, sizeBytes, segments, stopped }: Journal): VolumeDescription {
  return {
    name: volume,
    sizeBytes,
    segments: segments.length,
    stopped: stopped && { reason: stopped.message, mend: stopped.mend },
  };
}
