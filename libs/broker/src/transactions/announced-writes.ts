import type { LogEngine, ProducerIdentity, TransactionalProducer } from '@tickfold/log-engine';

/** What one transaction said that it would write to. */
interface Announced extends ProducerIdentity {
  partitions: Map<string, [topic: string, index: number]>;
  groups: Set<string>;
}

/**
 * Where each transaction under way may write: Kafka refuses a transactional batch for a partition that was not added to
 * its transaction, since a late one could else slip into the next. What went on while this broker started was announced
 * to an earlier one: there the engine alone decides.
 */
export class AnnouncedWrites {
  readonly #engine: LogEngine;
  readonly #byTransactionalId = new Map<string, Announced>();
  readonly #carriedOver: Set<string>;
  /** How many to have before those of abandoned transactions are looked for. */
  #pruneAt = 1_000;

  constructor(engine: LogEngine) {
    this.#engine = engine;
    this.#carriedOver = new Set(ongoingIds(engine));
  }

  addPartitions(producer: TransactionalProducer, partitions: Iterable<[topic: string, index: number]>): void {
    const announced = this.#announcedBy(producer);
    for (const place of partitions) announced?.partitions.set(placeOf(...place), place);
  }

  addGroup(producer: TransactionalProducer, group: string): void {
    this.#announcedBy(producer)?.groups.add(group);
  }

  /** False where this very producer has a transaction under way that the partition was not added to. */
  allowsPartition(transactionalId: string, producer: ProducerIdentity, topic: string, index: number): boolean {
    const announced = this.#find(transactionalId, producer);
    return announced === undefined || announced.partitions.has(placeOf(topic, index));
  }

  partitionsOf({ transactionalId, ...producer }: TransactionalProducer): [topic: string, index: number][] {
    return [...(this.#find(transactionalId, producer)?.partitions.values() ?? [])];
  }

  allowsGroup({ transactionalId, ...producer }: TransactionalProducer, group: string): boolean {
    const announced = this.#find(transactionalId, producer);
    return announced === undefined || announced.groups.has(group);
  }

  /** The transaction is over, or its producer was replaced. */
  forget(transactionalId: string): void {
    this.#byTransactionalId.delete(transactionalId);
    this.#carriedOver.delete(transactionalId);
  }

  /** Undefined where a transaction was begun before this broker was there. */
  #announcedBy({ transactionalId, producerId, epoch }: TransactionalProducer): Announced | undefined {
    if (this.#carriedOver.has(transactionalId)) return undefined;
    const known = this.#find(transactionalId, { producerId, epoch });
    if (known !== undefined) return known;
    if (this.#byTransactionalId.size >= this.#pruneAt) this.#prune();
    const announced: Announced = { producerId, epoch, partitions: new Map(), groups: new Set() };
    this.#byTransactionalId.set(transactionalId, announced);
    return announced;
  }

  #find(transactionalId: string, { producerId, epoch }: ProducerIdentity): Announced | undefined {
    const found = this.#byTransactionalId.get(transactionalId);
    return found?.producerId === producerId && found.epoch === epoch ? found : undefined;
  }

  /** Transactions whose time was over ended without a word from their producers. */
  #prune(): void {
    const ongoing = new Set(ongoingIds(this.#engine));
    for (const id of this.#byTransactionalId.keys()) if (!ongoing.has(id)) this.#byTransactionalId.delete(id);
    this.#pruneAt = Math.max(1_000, this.#byTransactionalId.size * 2);
  }
}

function ongoingIds(engine: LogEngine): string[] {
  return engine
    .transactions()
    .filter(({ state }) => state === 'ongoing')
    .map(({ transactionalId }) => transactionalId);
}

function placeOf(topic: string, index: number): string {
  return `${topic}/${index}`;
}
