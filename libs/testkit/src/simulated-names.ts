import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedFile } from './simulated-file.ts';

export type SimulatedEntry = SimulatedFile | SimulatedFolder;

/** A folder in two layers: the names that the system shows, and those that would be there after a power cut. */
export class SimulatedFolder {
  readonly shown = new Map<string, SimulatedEntry>();
  readonly durable = new Map<string, SimulatedEntry>();
}

interface Edit {
  folder: SimulatedFolder;
  name: string;
  /** Undefined takes the name away. */
  entry: SimulatedEntry | undefined;
}

/** Edits that happen together or not at all, as a rename's two. */
type Change = readonly Edit[];

/** All names of a disk, and the changes of them that no folder's sync has covered yet. */
export class SimulatedNames {
  readonly root = new SimulatedFolder();
  #pending: Change[] = [];

  apply(...change: Change): void {
    for (const edit of change) editLayer(edit.folder.shown, edit);
    this.#pending.push(change);
  }

  /** Makes a folder's names durable, with the older changes that those rest on. */
  sync(folder: SimulatedFolder): void {
    const needed = new Set<Change>();
    for (const change of [...this.#pending].reverse()) {
      const touches = change.some((edit) => edit.folder === folder);
      if (touches || [...needed].some((later) => shareName(change, later))) needed.add(change);
    }
    for (const change of this.#pending) if (needed.has(change)) makeDurable(change);
    this.#pending = this.#pending.filter((change) => !needed.has(change));
  }

  /** Any of the unsynced changes may have reached the disk, but none without an older one of the same name. */
  losePower(random: SeededRandom): void {
    const chance = random.pick([0, 0.3, 0.7, 1]);
    const lost: Change[] = [];
    for (const change of this.#pending.splice(0)) {
      if (random.chance(chance) && !lost.some((older) => shareName(older, change))) makeDurable(change);
      else lost.push(change);
    }
    settle(this.root, random);
  }

  /** What stands at a path, given by its names. */
  find(names: readonly string[]): SimulatedEntry | undefined {
    let entry: SimulatedEntry | undefined = this.root;
    for (const name of names) {
      if (!(entry instanceof SimulatedFolder)) return undefined;
      entry = entry.shown.get(name);
    }
    return entry;
  }
}

function editLayer(layer: Map<string, SimulatedEntry>, { name, entry }: Edit): void {
  if (entry === undefined) layer.delete(name);
  else layer.set(name, entry);
}

function makeDurable(change: Change): void {
  for (const edit of change) editLayer(edit.folder.durable, edit);
}

function shareName(one: Change, other: Change): boolean {
  return one.some((a) => other.some((b) => a.folder === b.folder && a.name === b.name));
}

/** Shows only what is durable, in every folder and file that can still be reached. */
function settle(root: SimulatedFolder, random: SeededRandom): void {
  const files = new Set<SimulatedFile>();
  const visit = (folder: SimulatedFolder): void => {
    folder.shown.clear();
    for (const [name, entry] of folder.durable) {
      folder.shown.set(name, entry);
      if (entry instanceof SimulatedFolder) visit(entry);
      else files.add(entry);
    }
  };
  visit(root);
  for (const file of files) file.losePower(random);
}
