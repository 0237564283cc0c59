import type { Checkpoint } from './journal-state.ts';

interface Place {
  name: string;
  start: number;
  end: number;
  /** Behind its last batch so far. */
  reached: number;
  isFromSide: boolean;
}

/** Follows the batches of a journal, oldest first: whether each partition has every offset from its start up to its end. */
export class OffsetCheck {
  readonly #places = new Map<number, Place>();
  #hasSide = false;

  constructor({ topics, partitions }: Checkpoint) {
    const names = new Map(
      topics.flatMap(({ name, partitionIds }) => partitionIds.map((id, number) => [id, `${name}/${number}`] as const)),
    );
    for (const [id, start, end] of partitions) {
      const name = names.get(id);
      if (name !== undefined) this.#places.set(id, { name, start, end, reached: 0, isFromSide: false });
    }
  }

  /**
   * @param isSide the batch lies in a side segment: offsets before and behind it may have been cleaned away
   * @returns what is wrong with it
   */
  batch(partitionId: number, baseOffset: number, endOffset: number, isSide: boolean): string[] {
    this.#hasSide ||= isSide;
    const place = this.#places.get(partitionId);
    // Of a topic that was deleted.
    if (place === undefined) return [];
    const { name, start, end, reached } = place;
    const damages: string[] = [];
    if (baseOffset < reached) damages.push(`${name}: offset ${baseOffset} comes behind offset ${reached - 1}`);
    if (endOffset > end) damages.push(`${name}: offset ${endOffset - 1} lies behind its end, ${end}`);
    const expected = Math.max(reached, start);
    const mayHaveGap = isSide || place.isFromSide || (reached === 0 && this.#hasSide);
    if (baseOffset > expected && !mayHaveGap) damages.push(gap(name, expected, baseOffset));
    place.reached = endOffset;
    place.isFromSide = isSide;
    return damages;
  }

  /** Which offsets should have come, at the end of the journal. */
  missing(): string[] {
    return [...this.#places.values()].flatMap(({ name, start, end, reached, isFromSide }) => {
      const expected = Math.max(reached, start);
      const mayBeCleaned = isFromSide || (reached === 0 && this.#hasSide);
      return expected < end && !mayBeCleaned ? [gap(name, expected, end)] : [];
    });
  }
}

function gap(name: string, from: number, to: number): string {
  return `${name}: offsets ${from} to ${to - 1} are missing`;
}
