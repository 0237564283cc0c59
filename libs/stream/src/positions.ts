import type { TopicPartition } from './api.ts';
import { StreamError } from './errors.ts';

/** Where a reader stands in a partition. */
export interface Position extends TopicPartition {
  offset: bigint;
  isPaused: boolean;
  /** How often it was moved, or stopped on its way: what was asked for before does not count any more. */
  moves: number;
}

/** Where a reader stands in each of its partitions, each first in turn. */
export class Positions {
  readonly #all: Position[] = [];
  readonly #byTopic = new Map<string, Map<number, Position>>();
  readonly #onChange: () => void;

  /** @param onChange told when there may be something to read that was not there before */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  add({ topic, partition }: TopicPartition, offset: bigint): void {
    const position = { topic, partition, offset, isPaused: false, moves: 0 };
    this.#all.push(position);
    const ofTopic = this.#byTopic.get(topic) ?? new Map<number, Position>();
    this.#byTopic.set(topic, ofTopic.set(partition, position));
  }

  find(topic: string, partition: number): Position | undefined {
    return this.#byTopic.get(topic)?.get(partition);
  }

  /** Those that are to be read, in turn: the first one is the last the next time. */
  inTurn(): Position[] {
    const wanted = this.#all.filter(({ isPaused }) => !isPaused);
    if (this.#all.length > 1) this.#all.push(this.#all.shift()!);
    return wanted;
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const position of this.#assigned(partitions)) position.isPaused = true;
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const position of this.#assigned(partitions)) position.isPaused = false;
    this.#onChange();
  }

  seek(to: TopicPartition & { offset: bigint }): void {
    for (const position of this.#assigned([to])) moveTo(position, to.offset);
    this.#onChange();
  }

  #assigned(partitions: readonly TopicPartition[]): Position[] {
    return partitions.map(({ topic, partition }) => {
      const position = this.find(topic, partition);
      if (position === undefined) throw notAssigned(topic, partition);
      return position;
    });
  }
}

/** What was read of a position, until the loop takes it. */
export interface ReadAhead<Chunk> {
  chunk: Chunk;
  position: Position;
  /** Before the chunk. */
  from: bigint;
  moves: number;
}

/** Whether the loop still wants what was read ahead for it. What it paused instead is read again later. */
export function isWanted({ position, from, moves }: ReadAhead<unknown>): boolean {
  if (position.moves !== moves) return false;
  if (!position.isPaused) return true;
  moveTo(position, from);
  return false;
}

export function notAssigned(topic: string, partition: number): StreamError {
  return new StreamError('not-assigned', `this consumer does not read '${topic}' partition ${partition}`);
}

function moveTo(position: Position, offset: bigint): void {
  position.offset = offset;
  position.moves++;
}
