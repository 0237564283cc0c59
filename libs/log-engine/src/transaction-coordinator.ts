/**
 * Transactions over the partitions and groups of any volumes. How one ends is decided by one record in the journal of the
 * volume that its transactional id's name gives; markers and offsets follow in each journal, and are made up for after a
 * crash. What is decided in the coordinator's own journal is appended in one turn with what it decides there.
 */
import { randomInt } from 'node:crypto';
import type {
  CommittedOffset,
  EngineEvent,
  OpenProducerOptions,
  ProducerIdentity,
  TransactionalProducer,
  TransactionDescription,
  TransactionOutcome,
} from './api.ts';
import type { TransactionDecision } from './control-record.ts';
import { EndingGate } from './ending-gate.ts';
import { EngineError } from './errors.ts';
import type { Journal } from './journal.ts';
import { volumeOfGroup } from './names.ts';
import { abortOrphans, orphansOf } from './orphaned-transactions.ts';
import type { ProducerRegistry } from './producer-registry.ts';
import type { RefusedVolumes } from './refused-volumes.ts';
import { offsetRow } from './topic-rows.ts';
import { endIn, isUnfinishedIn, volumesOf } from './transaction-ending.ts';
import {
  identityOf,
  isSameProducer,
  newProducer,
  nextProducer,
  type Producer,
  producerOf,
  TransactionalId,
} from './transactional-id.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
const LARGEST_PENDING_ID = 2 ** 48 - 1;

export interface TransactionVolumes {
  /** Undefined where there is no such volume. */
  find(volume: string): Journal | undefined;
  /** Made when it is not there. */
  open(volume: string): Promise<Journal>;
  isBeingDeleted(volume: string): boolean;
  /** Those that are there but could not be opened: what they hold is not known. */
  refused: RefusedVolumes;
}

export interface TransactionLimits {
  maxTimeoutMs: number;
  transactionalIdExpiryMs: number;
}

export interface TransactionCoordinatorParts {
  registry: ProducerRegistry;
  volumes: TransactionVolumes;
  limits: TransactionLimits;
  clock: () => number;
  onEvent: (event: EngineEvent) => void;
}

export class TransactionCoordinator {
  readonly #registry: ProducerRegistry;
  readonly #volumes: TransactionVolumes;
  readonly #limits: TransactionLimits;
  readonly #clock: () => number;
  readonly #onEvent: (event: EngineEvent) => void;
  /** Of each transactional id the last of what is to be done one after the other. */
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #gate = new EndingGate();

  constructor({ registry, volumes, limits, clock, onEvent }: TransactionCoordinatorParts) {
    this.#registry = registry;
    this.#volumes = volumes;
    this.#limits = limits;
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  async openProducer(options: OpenProducerOptions): Promise<ProducerIdentity> {
    const { transactionalId, timeoutMs = DEFAULT_TIMEOUT_MS, expected } = options;
    if (transactionalId === undefined) return identityOf(newProducer());
    if (transactionalId === '') throw new EngineError('illegal-name', 'a transactional id has at least one character');
    this.#checkTimeout(timeoutMs);
    return this.#serially(transactionalId, () => this.#open(transactionalId, timeoutMs, expected));
  }

  begin(producer: TransactionalProducer): void {
    const id = this.#current(producer);
    if (id.isEnding || id.isOpening) throw concurrent(id);
    id.begin(this.#clock());
  }

  async commitOffsets(producer: TransactionalProducer, group: string, offsets: CommittedOffset[]): Promise<void> {
    const id = this.#current(producer);
    mustBeOngoing(id);
    const { transactionCount } = id;
    const journal = await this.#volumes.open(volumeOfGroup(group));
    await journal.record(() => {
      this.#current(producer);
      mustBeOngoing(id);
      if (id.transactionCount !== transactionCount) throw notOngoing(id);
      const pendingId = id.groups.get(group) ?? randomInt(1, LARGEST_PENDING_ID);
      id.groups.set(group, pendingId);
      const { producerId } = id.producer;
      return { kind: 'offsets-pending', producerId, group, id: pendingId, offsets: offsets.map(offsetRow) } as const;
    });
  }

  end(producer: TransactionalProducer, outcome: TransactionOutcome, bumpEpoch: boolean): Promise<ProducerIdentity> {
    return this.#serially(producer.transactionalId, async () => {
      const id = this.#known(producer.transactionalId);
      if (id.hasEnded(producerOf(producer), outcome)) {
        await this.#drive(id);
        return identityOf(id.producer);
      }
      this.#current(producer);
      if (id.state === 'empty' || (id.isEnding && id.state !== endingOf(outcome))) throw notOngoing(id);
      await this.#end(id, outcome, 'producer', bumpEpoch ? nextProducer(id.producer) : id.producer);
      return identityOf(id.producer);
    });
  }

  describe(): TransactionDescription[] {
    return this.#registry.all().map((id) => id.describe());
  }

  /** Ends transactions whose time is over and forgets transactional ids that are not used any more. What fails is told. */
  async maintain(): Promise<void> {
    const due = this.#registry.all().filter((id) => this.#isOverdue(id) || this.#isExpired(id));
    await Promise.all(due.map((id) => this.#serially(id.name, () => this.#maintainOne(id))));
  }

  /**
   * Takes in what journals that were just opened hold of transactions: finishes what was decided, lets open ones go on, and
   * aborts those whose transactional id is not known.
   */
  async admit(journals: readonly Journal[]): Promise<void> {
    const ids = journals.flatMap((journal) =>
      [...journal.durable.transactions.transactionalIds.values()].map(
        // It is known where the volume could not be deleted and was opened again.
        (row) => this.#registry.find(row.transactionalId) ?? new TransactionalId(journal.volume, row),
      ),
    );
    for (const id of ids) this.#registry.add(id);
    // What cannot be written now is told by the volume that stopped for it, and done when that is opened again.
    await Promise.allSettled(ids.map((id) => this.#finish(id)));
    // A volume that could not be opened may know them.
    const abortUnknown = this.#volumes.refused.count === 0;
    await Promise.allSettled(
      journals.map((journal) => {
        const orphans = orphansOf(journal, this.#registry, this.#clock());
        return abortUnknown ? abortOrphans(journal, orphans, this.#clock(), this.#onEvent) : undefined;
      }),
    );
  }

  /** A volume is gone: what it coordinated is ended where nothing was decided, else finished. */
  async forgetVolume(volume: string): Promise<void> {
    const ids = this.#registry.all().filter((id) => id.volume === volume);
    await Promise.allSettled(ids.map((id) => this.#serially(id.name, () => this.#forget(id))));
  }

  /**
   * Does the work at a moment at which every transaction has ended in all of its volumes or in none. A volume that stopped
   * meanwhile may lack an end; it has stopped for the work too.
   */
  betweenEndings<T>(work: () => T): Promise<T> {
    return this.#gate.cut(work);
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#queues.size > 0) await Promise.allSettled(this.#queues.values());
  }

  async #open(name: string, timeoutMs: number, expected: ProducerIdentity | undefined): Promise<ProducerIdentity> {
    const id = this.#registry.find(name);
    const replaced = expected && producerOf(expected);
    if (replaced !== undefined) {
      const known = id ?? this.#known(name);
      // Asked again, because the answer was lost.
      if (known.state === 'empty' && known.expected && isSameProducer(known.expected, replaced)) {
        return identityOf(known.producer);
      }
      if (!isSameProducer(known.producer, replaced)) throw fenced(known, replaced);
    }
    if (id === undefined) return this.#record(name, newProducer(), timeoutMs, undefined);
    id.isOpening = true;
    try {
      if (id.isEnding) await this.#drive(id);
      if (id.state === 'ongoing') await this.#abort(id, 'another producer took over');
      return await this.#record(name, nextProducer(id.producer), timeoutMs, replaced);
    } finally {
      id.isOpening = false;
    }
  }

  async #record(
    name: string,
    { producerId, epoch }: Producer,
    timeoutMs: number,
    replaced: Producer | undefined,
  ): Promise<ProducerIdentity> {
    const known = this.#registry.find(name);
    const journal = await (known === undefined ? this.#volumes.open(volumeOfGroup(name)) : this.#openVolumeOf(known));
    const row = {
      transactionalId: name,
      producerId,
      epoch,
      timeoutMs,
      ...(replaced && { expected: [replaced.producerId, replaced.epoch] as [number, number] }),
    };
    const atMs = this.#clock();
    await journal.record(() => ({ kind: 'producer-opened', ...row, atMs }) as const);
    const earlier = this.#registry.find(name);
    if (earlier !== undefined) this.#registry.remove(earlier);
    this.#registry.add(new TransactionalId(journal.volume, { ...row, updatedAtMs: atMs }));
    return identityOf({ producerId, epoch });
  }

  async #abort(id: TransactionalId, reason: string): Promise<void> {
    await this.#end(id, 'abort', 'engine', nextProducer(id.producer));
    const detail = `the transaction of ${id.name} was aborted: ${reason}`;
    this.#onEvent({ kind: 'transaction-aborted', volume: id.volume, detail });
  }

  #end(
    id: TransactionalId,
    outcome: TransactionOutcome,
    endedBy: TransactionDecision['endedBy'],
    next: Producer,
  ): Promise<void> {
    return this.#gate.end(async () => {
      if (id.decision === undefined) await this.#decide(id, outcome, endedBy, next);
      await this.#drive(id);
    });
  }

  async #decide(
    id: TransactionalId,
    outcome: TransactionOutcome,
    endedBy: TransactionDecision['endedBy'],
    next: Producer,
  ): Promise<void> {
    const wasOngoing = id.state === 'ongoing';
    // From here on nothing more is written in this transaction.
    id.end(outcome);
    try {
      if (outcome === 'commit') await this.#syncElsewhere(id, id.decide(outcome, endedBy, next));
    } catch (error) {
      if (wasOngoing) id.state = 'ongoing';
      throw error;
    }
    const journal = await this.#openVolumeOf(id);
    const atMs = this.#clock();
    const decision = await journal.inOneTurn((turn) => {
      const made = id.decide(outcome, endedBy, next);
      turn.record({ kind: 'transaction-decided', transactionalId: id.name, atMs, ...made });
      endIn(turn, made, atMs);
      return made;
    });
    id.decision = decision;
    id.updatedAtMs = atMs;
    this.#registry.replace(id, next);
  }

  /** A deletion waits until all that is done to its transactional ids is over: that may not wait for the deletion. */
  async #openVolumeOf(id: TransactionalId): Promise<Journal> {
    if (this.#volumes.isBeingDeleted(id.volume)) throw concurrent(id);
    return this.#volumes.open(id.volume);
  }

  /** What is committed must not be lost in one volume and stay in another: all of it is durable before it is decided. */
  async #syncElsewhere(id: TransactionalId, draft: TransactionDecision): Promise<void> {
    const volumes = volumesOf(draft).filter((volume) => volume !== id.volume);
    await Promise.all(
      volumes.map((volume) => {
        this.#volumes.refused.check(volume);
        return this.#volumes.find(volume)?.inOneTurn(() => undefined);
      }),
    );
  }

  /** Brings a decision to all volumes but the coordinator's, which has it already. */
  async #drive(id: TransactionalId): Promise<void> {
    if (!id.isEnding || id.decision === undefined) return;
    const { decision } = id;
    const elsewhere = volumesOf(decision).filter((volume) => volume !== id.volume);
    await this.#endInAll(elsewhere, decision);
    id.settle();
  }

  /** As `#drive` after a restart: looks what is missing first, and in the coordinator's volume too. */
  async #finish(id: TransactionalId): Promise<void> {
    const { decision } = id;
    if (decision === undefined) return;
    const missing = volumesOf(decision).filter((volume) => {
      const journal = this.#volumes.find(volume);
      // One that could not be opened counts: the transaction is not over until that is known.
      return journal === undefined || isUnfinishedIn(journal, decision);
    });
    await this.#endInAll(missing, decision);
    id.settle();
  }

  async #endInAll(volumes: string[], decision: TransactionDecision): Promise<void> {
    throwFirst(await Promise.allSettled(volumes.map((volume) => this.#endInVolume(volume, decision))));
  }

  async #endInVolume(volume: string, decision: TransactionDecision): Promise<void> {
    this.#volumes.refused.check(volume);
    const journal = this.#volumes.find(volume);
    try {
      await journal?.inOneTurn((turn) => endIn(turn, decision, this.#clock()));
    } catch (error) {
      // A volume that was deleted meanwhile needs no end.
      if (this.#volumes.find(volume) === journal) throw error;
    }
  }

  async #forget(id: TransactionalId): Promise<void> {
    this.#registry.remove(id);
    if (id.state === 'empty') return;
    const decision = id.decision ?? id.decide('abort', 'engine', id.producer);
    await this.#endInAll(volumesOf(decision), decision);
    id.settle();
  }

  async #maintainOne(id: TransactionalId): Promise<void> {
    try {
      if (this.#isOverdue(id)) await this.#abort(id, `its time of ${id.timeoutMs} ms is over`);
      else if (this.#isExpired(id)) await this.#expire(id);
    } catch (error) {
      const detail = `transactional id ${id.name}: ${error instanceof Error ? error.message : String(error)}`;
      this.#onEvent({ kind: 'maintenance-failed', volume: id.volume, detail });
    }
  }

  async #expire(id: TransactionalId): Promise<void> {
    const journal = this.#volumes.find(id.volume);
    await journal?.record(() => ({ kind: 'transactional-id-expired', transactionalId: id.name }) as const);
    this.#registry.remove(id);
  }

  #isOverdue({ state, startedAtMs, timeoutMs }: TransactionalId): boolean {
    return state === 'ongoing' && (startedAtMs ?? 0) + timeoutMs <= this.#clock();
  }

  #isExpired({ volume, state, isOpening, updatedAtMs }: TransactionalId): boolean {
    if (state !== 'empty' || isOpening || this.#volumes.find(volume)?.stopped !== undefined) return false;
    return updatedAtMs + this.#limits.transactionalIdExpiryMs <= this.#clock();
  }

  #checkTimeout(timeoutMs: number): void {
    const { maxTimeoutMs } = this.#limits;
    if (Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= maxTimeoutMs) return;
    throw new EngineError(
      'illegal-transaction-timeout',
      `a transaction's time-out of ${timeoutMs} ms is none from 1 to ${maxTimeoutMs}`,
    );
  }

  #known(name: string): TransactionalId {
    this.#volumes.refused.check(volumeOfGroup(name));
    const id = this.#registry.find(name);
    if (id === undefined) throw new EngineError('unknown-producer', `the transactional id "${name}" is not known`);
    return id;
  }

  /** @throws EngineError `unknown-producer`, `producer-fenced` */
  #current(producer: TransactionalProducer): TransactionalId {
    const id = this.#known(producer.transactionalId);
    if (!isSameProducer(id.producer, producerOf(producer))) throw fenced(id, producerOf(producer));
    return id;
  }

  #serially<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(name) ?? Promise.resolve();
    const doing = before.then(work, work);
    this.#queues.set(name, doing);
    const leave = (): void => {
      if (this.#queues.get(name) === doing) this.#queues.delete(name);
    };
    doing.then(leave, leave);
    return doing;
  }
}

function endingOf(outcome: TransactionOutcome): TransactionDescription['state'] {
  return outcome === 'commit' ? 'committing' : 'aborting';
}

function mustBeOngoing(id: TransactionalId): void {
  if (id.state !== 'ongoing') throw notOngoing(id);
}

function notOngoing({ name, state }: TransactionalId): EngineError {
  return new EngineError('invalid-transaction-state', `no transaction of ${name} is under way: it is ${state}`);
}

function concurrent({ name }: TransactionalId): EngineError {
  return new EngineError('concurrent-transactions', `the transaction of ${name} before this one is being ended`);
}

function fenced({ name, producer }: TransactionalId, { producerId, epoch }: Producer): EngineError {
  const now = `now it is producer ${producer.producerId}, epoch ${producer.epoch}`;
  return new EngineError('producer-fenced', `producer ${producerId}, epoch ${epoch}, of ${name} was replaced: ${now}`);
}

function throwFirst(results: readonly PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
