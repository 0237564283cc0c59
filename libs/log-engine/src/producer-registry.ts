import { EngineError } from './errors.ts';
import type { TransactionGate } from './journal-context.ts';
import type { Partition } from './partition.ts';
import type { Producer, TransactionalId } from './transactional-id.ts';

/** The transactional ids of all volumes, by name and by the producer that may write for them now. */
export class ProducerRegistry implements TransactionGate {
  readonly #byName = new Map<string, TransactionalId>();
  readonly #byProducer = new Map<number, TransactionalId>();

  all(): TransactionalId[] {
    return [...this.#byName.values()];
  }

  find(transactionalId: string): TransactionalId | undefined {
    return this.#byName.get(transactionalId);
  }

  ofProducer(producerId: number): TransactionalId | undefined {
    return this.#byProducer.get(producerId);
  }

  add(id: TransactionalId): void {
    this.#byName.set(id.name, id);
    this.#byProducer.set(id.producer.producerId, id);
  }

  /** From now on `next` alone writes for it. */
  replace(id: TransactionalId, next: Producer): void {
    this.#byProducer.delete(id.producer.producerId);
    id.producer = next;
    this.#byProducer.set(next.producerId, id);
  }

  remove(id: TransactionalId): void {
    this.#byName.delete(id.name);
    this.#byProducer.delete(id.producer.producerId);
  }

  admit(producerId: number, epoch: number): void {
    const id = this.#byProducer.get(producerId);
    if (id === undefined || id.producer.epoch !== epoch) {
      const now = id === undefined ? 'no transactional id has this producer now' : `now it is ${id.producer.epoch}`;
      throw new EngineError('producer-fenced', `producer ${producerId}, epoch ${epoch}, may not write: ${now}`);
    }
    if (id.state !== 'ongoing') {
      throw new EngineError(
        'invalid-transaction-state',
        `no transaction of ${id.name} is under way: it is ${id.state}`,
      );
    }
  }

  joined(producerId: number, partition: Partition, firstOffset: number): void {
    this.#byProducer.get(producerId)?.partitions.set(partition, firstOffset);
  }
}
