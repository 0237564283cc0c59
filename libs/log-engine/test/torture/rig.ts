import { setImmediate } from 'node:timers/promises';
import {
  type EngineErrorCode,
  type EngineEvent,
  type LogEngine,
  openLogEngine,
  type PartitionLog,
} from '@tickfold/log-engine';
import { FaultyDisk, SeededRandom } from '@tickfold/testkit/faulty-disk';
import { compare } from './compare.ts';
import { Model, type TopicModel } from './model.ts';
import type { Setting } from './operations.ts';
import type { Ending, PartitionModel } from './partition-model.ts';
import { isRefusal } from './refusal.ts';
import { UnderWay } from './under-way.ts';
import { mustHold, Violation } from './violation.ts';

const DATA_DIR = '/data';
const NEVER_MS = 10 ** 13;
const START_MS = 1_700_000_000_000;

/** An engine on a faulty disk, and the model beside it, through crashes and openings. */
export class Rig {
  readonly dataDir = DATA_DIR;
  readonly setting: Setting;
  readonly random: SeededRandom;
  readonly model = new Model();
  /** All calls that nobody waits for yet; snapshots among them. */
  readonly underWay = new UnderWay();
  readonly snapshotsUnderWay = new UnderWay();
  disk: FaultyDisk;
  engine!: LogEngine;
  nowMs = START_MS;
  /** A fault was set, so any call may fail until the engine is opened again. */
  mayFail = false;
  /** So time-outs and expiry may have come. */
  hasTurnedClock = false;

  constructor(setting: Setting, syncIsALie: boolean) {
    const { seed, isLate } = setting;
    this.setting = setting;
    this.random = new SeededRandom(seed);
    this.disk = new FaultyDisk({ seed, isLate, syncIsALie });
  }

  get hasQuota(): boolean {
    return this.setting.volumeQuotaBytes !== undefined;
  }

  async open(): Promise<void> {
    const { segmentBytes, volumeQuotaBytes, reserveBytes, visibility } = this.setting;
    this.engine = await openLogEngine({
      dataDir: DATA_DIR,
      segmentBytes,
      ...(volumeQuotaBytes === undefined ? {} : { volumeQuotaBytes }),
      visibility,
      maintenanceIntervalMs: 0,
      reserveBytes,
      // A producer that is forgotten may send twice: that is the contract, and tested elsewhere.
      producerExpiryMs: NEVER_MS,
      disk: this.disk,
      clock: () => this.nowMs,
      onEvent: (event) => this.#hear(event),
    });
  }

  /** A partition that is there for sure, as model and engine have it. */
  find(name: string, number: number): { topic: TopicModel; log: PartitionLog; partition: PartitionModel } | undefined {
    const topic = this.model.topic(name);
    const partition = topic?.partitions[number];
    if (topic === undefined || partition === undefined) return undefined;
    const log = this.engine.partition(name, number);
    mustHold(log !== undefined, 'lost', () => `there is no ${name}/${number}`);
    return { topic, log, partition };
  }

  /** True where a volume is there; one that is not may be just about to be made. */
  async hasVolume(volume: string): Promise<boolean> {
    const isThere = (): boolean => this.engine.volumes().some(({ name }) => name === volume);
    if (!isThere()) await this.underWay.settled();
    return isThere();
  }

  /** Waits until nothing is under way, then compares all that the live engine holds. */
  async settle(): Promise<void> {
    await this.underWay.settled();
    if (this.disk.isGone || this.mayFail || this.setting.visibility === 'written') return;
    for (const { name, partitions } of this.model.topics.values()) {
      for (const i of partitions.keys()) await this.#untilVisible(this.engine.partition(name, i));
    }
    if (!this.disk.isGone) await compare(this, 'closed');
  }

  /** Closes the engine in good order and opens it again. */
  async reopen(): Promise<void> {
    await this.underWay.settled();
    const ending = this.mayFail || this.engine.volumes().some(({ stopped }) => stopped) ? 'killed' : 'closed';
    await this.engine.close().catch((error: unknown) => this.mustBeExplained(error));
    if (this.disk.isGone) return this.recover(true, []);
    const { openFiles } = this.disk;
    mustHold(openFiles === 0 || this.mayFail, 'left-over', () => `${openFiles} files are open after close`);
    const refused = await this.#refusalOfOpening();
    if (this.disk.isGone) return this.recover(true, []);
    this.disk.heal();
    if (refused !== undefined) {
      this.mustBeExplained(refused);
      await this.engine.close();
      await this.#openWhole();
      if (this.disk.isGone) return this.recover(true, []);
    }
    // Maintenance sees that there is room again.
    await this.engine.maintain();
    this.mayFail = false;
    this.model.transactions.engineEnded();
    await compare(this, ending);
  }

  /** The process is killed, or the power goes, now or a little while ago; then recovery, cut short as often as asked. */
  async recover(losesPower: boolean, cutsShort: readonly number[]): Promise<void> {
    let ending: Ending = losesPower ? 'power-lost' : 'killed';
    this.disk.crash();
    await this.engine.close().catch(() => undefined);
    await this.underWay.settled();
    this.disk = losesPower ? this.disk.afterPowerLoss() : this.disk.afterKill();
    let isOpen = false;
    for (const calls of cutsShort) {
      isOpen = await this.#openUnlessCrashed(calls);
      if (isOpen) break;
      if (this.random.chance(0.5)) ending = 'power-lost';
      this.disk = ending === 'power-lost' ? this.disk.afterPowerLoss() : this.disk.afterKill();
    }
    this.mayFail = false;
    if (!isOpen) await this.#openWhole();
    this.model.transactions.engineEnded();
    await compare(this, ending);
    const leftOver = this.disk.filesUnder(DATA_DIR).find((path) => /\.tmp|\.trash-|\.staging/.test(path));
    mustHold(leftOver === undefined, 'left-over', () => `${leftOver} is still there`);
  }

  /** A call that must be refused with this code. */
  async refused(call: Promise<unknown>, code: EngineErrorCode): Promise<void> {
    const answer = await call.then(
      () => 'done',
      (error: unknown) => error,
    );
    if (!isRefusal(answer, code) && !this.isExplained(answer)) {
      throw new Violation('unexplained', `expected ${code}`, answer);
    }
  }

  mustBeExplained(error: unknown): void {
    if (error instanceof Violation) throw error;
    if (!this.isExplained(error)) throw new Violation('unexplained', String(error), error);
  }

  isExplained(error: unknown): boolean {
    if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) return false;
    if (this.disk.isGone || this.mayFail) return true;
    return this.hasQuota && isRefusal(error, 'volume-full');
  }

  async #untilVisible(log: PartitionLog | undefined): Promise<void> {
    while (log !== undefined && log.highWatermark < log.logEndOffset && !this.disk.isGone) await setImmediate();
  }

  async #openUnlessCrashed(calls: number): Promise<boolean> {
    this.disk.crashAfter(calls);
    const refused = await this.#refusalOfOpening();
    if (this.disk.isGone) return false;
    if (refused !== undefined) throw refused;
    this.disk.crashAfter(Number.POSITIVE_INFINITY);
    return true;
  }

  async #openWhole(): Promise<void> {
    const refused = await this.#refusalOfOpening();
    if (refused === undefined || this.disk.isGone) return;
    throw new Violation('lost', `the engine does not open: ${refused.message}`, refused);
  }

  /** Opens the engine; tells why that failed, for all volumes or for one. */
  async #refusalOfOpening(): Promise<Error | undefined> {
    try {
      await this.open();
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
    const stopped = this.engine.volumes().find((volume) => volume.stopped !== undefined);
    return stopped && new Error(`volume ${stopped.name}: ${stopped.stopped?.reason}`);
  }

  /** Nothing on the disk was damaged, so nothing may be said to be. */
  #hear({ kind, detail }: EngineEvent): void {
    if (kind === 'range-damaged') this.underWay.add(Promise.reject(new Violation('lost', detail)));
  }
}
