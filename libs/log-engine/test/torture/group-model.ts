import { mustHold } from './violation.ts';

interface Change {
  readonly serial: number;
  /** Undefined: forgotten. */
  readonly offset: number | undefined;
  isAcknowledged: boolean;
}

/** What a group committed, and what was forgotten, per topic and partition, in the order of the calls. */
export class GroupModel {
  readonly name: string;
  readonly #changes = new Map<string, Change[]>();

  constructor(name: string) {
    this.name = name;
  }

  /** Gives the way to acknowledge it. */
  commit(place: string, offset: number, serial: number): () => void {
    return this.#change(place, offset, serial);
  }

  /** Gives the way to acknowledge it. */
  forget(isOf: (place: string) => boolean, serial: number): () => void {
    const changes = [...this.#changes.keys()].filter(isOf).map((place) => this.#change(place, undefined, serial));
    return () => {
      for (const acknowledge of changes) acknowledge();
    };
  }

  /** Found is the last one that was acknowledged, or one that was asked for later; it is what counts from now on. */
  settle(found: ReadonlyMap<string, number>): void {
    for (const [place, changes] of this.#changes) {
      const offset = found.get(place);
      const lastSure = changes.findLastIndex(({ isAcknowledged }) => isAcknowledged);
      const possible = changes.slice(Math.max(0, lastSure));
      const fits = possible.findLast((change) => change.offset === offset);
      const isThereNone = lastSure < 0 && offset === undefined;
      mustHold(fits !== undefined || isThereNone, 'moved-back', () => {
        const could = possible.map((change) => change.offset ?? 'none').join(', ');
        return `${this.name} has committed ${offset ?? 'nothing'} of ${place}; possible: ${could}`;
      });
      if (fits === undefined) this.#changes.delete(place);
      else this.#changes.set(place, [{ ...fits, isAcknowledged: true }]);
    }
    const surplus = [...found.keys()].find((place) => !this.#changes.has(place));
    mustHold(surplus === undefined, 'doubled', () => `${this.name} never committed ${surplus}`);
  }

  #change(place: string, offset: number | undefined, serial: number): () => void {
    const change: Change = { serial, offset, isAcknowledged: false };
    const changes = this.#changes.get(place) ?? [];
    this.#changes.set(place, changes);
    changes.push(change);
    return () => {
      change.isAcknowledged = true;
    };
  }
}
