import { setImmediate } from 'node:timers/promises';
import {
  type Durability,
  deleteSnapshot,
  EngineError,
  type EngineErrorCode,
  type EngineEvent,
  type LogEngine,
  listSnapshots,
  openLogEngine,
  openSnapshot,
  type PartitionLog,
  stageVolume,
} from '@tickfold/log-engine';
import { FaultyDisk, SeededRandom } from '@tickfold/testkit/faulty-disk';
import { numberedBatch } from '../batches.ts';
import { checkSnapshot } from './check-snapshot.ts';
import { contentOf, offsetsOf, readWholeLog, recordsOf } from './found.ts';
import { Model, type SnapshotModel, TopicModel } from './model.ts';
import { type Operation, PARTITIONS, type Sequence, type Setting } from './operations.ts';
import type { Ending, PartitionModel, Sent } from './partition-model.ts';
import { UnderWay } from './under-way.ts';
import { mustHold, Violation } from './violation.ts';

const DATA_DIR = '/data';
const START_MS = 1_700_000_000_000;
/** Records' times follow their place among all that was sent. */
const MS_PER_SERIAL = 10;

export interface RunOptions {
  /** The canary: a disk whose syncs do nothing. The checker must notice. */
  syncIsALie?: boolean;
}

/**
 * Runs a sequence on a faulty disk beside the model, and ends with a loss of power. Gives how often what was injected.
 * @throws Violation
 */
export async function runSequence(
  { setting, operations }: Sequence,
  { syncIsALie = false }: RunOptions = {},
): Promise<ReadonlyMap<string, number>> {
  const { seed, isLate } = setting;
  const run = new SequenceRun(setting, new FaultyDisk({ seed, isLate, syncIsALie }));
  await run.open();
  for (const operation of operations) await run.step(operation);
  return run.end();
}

class SequenceRun {
  readonly #setting: Setting;
  readonly #random: SeededRandom;
  readonly #model = new Model();
  readonly #underWay = new UnderWay();
  readonly #snapshotsUnderWay = new UnderWay();
  #disk: FaultyDisk;
  #engine!: LogEngine;
  #nowMs = START_MS;
  /** A fault was set, so any call may fail until the engine is opened again. */
  #mayFail = false;
  #syncFailures = 0;

  constructor(setting: Setting, disk: FaultyDisk) {
    this.#setting = setting;
    this.#random = new SeededRandom(setting.seed);
    this.#disk = disk;
  }

  async open(): Promise<void> {
    const { segmentBytes, volumeQuotaBytes, visibility } = this.#setting;
    this.#engine = await openLogEngine({
      dataDir: DATA_DIR,
      segmentBytes,
      ...(volumeQuotaBytes === undefined ? {} : { volumeQuotaBytes }),
      visibility,
      maintenanceIntervalMs: 0,
      disk: this.#disk,
      clock: () => this.#nowMs,
      onEvent: (event) => this.#hear(event),
    });
  }

  async step(operation: Operation): Promise<void> {
    this.#underWay.look();
    if (this.#disk.isGone) await this.#recover(this.#random.chance(0.7), []);
    try {
      await this.#do(operation);
    } catch (error) {
      if (error instanceof Violation || !this.#isExplained(error)) throw error;
    }
  }

  /** Everything is still there after a last loss of power, and after a close in good order. */
  async end(): Promise<ReadonlyMap<string, number>> {
    await this.#recover(true, []);
    await this.#reopen();
    await this.#engine.close();
    mustHold(this.#disk.openFiles === 0, 'left-over', () => `${this.#disk.openFiles} files are open after close`);
    return this.#disk.injected;
  }

  async #do(operation: Operation): Promise<void> {
    switch (operation.do) {
      case 'create-topic':
        return this.#createTopic(operation.topic);
      case 'delete-topic':
        return this.#deleteTopic(operation.topic);
      case 'append':
        return this.#append(operation);
      case 'burst':
        for (let i = 0; i < operation.writers; i++) {
          await this.#append({ ...operation, partition: i % PARTITIONS, batches: 1, wait: false });
        }
        return;
      case 'commit':
        return this.#commit(operation);
      case 'forget-group': {
        // Of calls that are under way at the same time nobody promises an order, where their volume is yet to be made.
        await this.#underWay.settled();
        const acknowledge = this.#model.group(operation.group).forget(() => true, this.#model.nextSerial());
        await this.#engine.deleteGroupOffsets(operation.group);
        return acknowledge();
      }
      case 'read':
        return this.#read(operation);
      case 'find-time':
        return this.#findTime(operation);
      case 'snapshot':
        return this.#snapshot(operation);
      case 'read-snapshot': {
        const snapshot = this.#someSnapshot(operation.which);
        return snapshot && this.#readSnapshot(snapshot);
      }
      case 'delete-snapshot':
        return this.#deleteSnapshot(operation.which);
      case 'adopt':
        return this.#adopt(operation);
      case 'delete-volume':
        return this.#deleteVolume(operation.volume);
      case 'settle':
        return this.#settle();
      case 'turn-clock':
        this.#nowMs += Math.round(operation.byMs);
        return;
      case 'fail':
        this.#mayFail = true;
        return this.#disk.fail(operation.fault);
      case 'fill-disk':
        this.#mayFail = true;
        this.#disk.capacityBytes = this.#disk.usedBytes + operation.roomBytes;
        return;
      case 'heal':
        return this.#disk.heal();
      case 'reopen':
        return this.#reopen();
      case 'crash':
        return this.#recover(operation.losesPower, operation.duringRecovery);
      case 'crash-soon':
        return this.#disk.crashAfter(operation.calls);
    }
  }

  async #createTopic(name: string): Promise<void> {
    const known = this.#model.topics.get(name);
    if (known?.presence === 'unknown') return;
    await this.#snapshotsUnderWay.settled();
    if (known !== undefined)
      return this.#refused(this.#engine.createTopic(name, { partitionCount: 1 }), 'topic-exists');
    const topic = new TopicModel(name, PARTITIONS, this.#model.nextSerial());
    this.#model.topics.set(name, topic);
    await this.#engine.createTopic(name, { partitionCount: PARTITIONS });
    topic.presence = 'there';
  }

  async #deleteTopic(name: string): Promise<void> {
    const topic = this.#model.topic(name);
    if (topic === undefined) return;
    await this.#snapshotsUnderWay.settled();
    topic.presence = 'unknown';
    const forgotten = this.#model.forgetTopic(name);
    await this.#engine.deleteTopic(name);
    topic.presence = 'gone';
    this.#model.topics.delete(name);
    forgotten();
  }

  async #append(order: {
    topic: string;
    partition: number;
    records: number;
    batches: number;
    durability: Durability;
    wait: boolean;
  }): Promise<void> {
    const found = this.#find(order.topic, order.partition);
    if (found === undefined) return;
    const { topic, log, partition } = found;
    const sent: Sent[] = [];
    const bytes: Buffer[] = [];
    for (let i = 0; i < order.batches; i++) {
      const serial = this.#model.nextSerial();
      bytes.push(numberedBatch(`r${serial}`, order.records, serial * MS_PER_SERIAL));
      sent.push(
        partition.send(
          serial,
          Array.from({ length: order.records }, (_, at) => `r${serial}-${at}`),
        ),
      );
    }
    const appending = log.append(Buffer.concat(bytes), order.durability).then(
      ({ baseOffset }) => {
        for (const [i, batch] of sent.entries()) {
          partition.acknowledge(batch, order.durability, Number(baseOffset) + i * order.records);
        }
      },
      (error: unknown) => {
        for (const batch of sent) batch.hasFailed = true;
        if (!(topic.presence !== 'there' && isRefusal(error, 'unknown-topic'))) this.#mustBeExplained(error);
      },
    );
    this.#underWay.add(appending);
    if (order.wait) await appending.catch(() => undefined);
  }

  async #commit(order: { group: string; topic: string; partition: number; wait: boolean }): Promise<void> {
    const { group, topic, partition } = order;
    const serial = this.#model.nextSerial();
    const acknowledge = this.#model.group(group).commit(`${topic}/${partition}`, serial, serial);
    const row = { topic, partition, offset: BigInt(serial), leaderEpoch: 0, metadata: `at ${serial}` };
    const committing = this.#engine.commitOffsets(group, [row]).then(acknowledge, (error: unknown) => {
      // The group's volume was deleted meanwhile.
      if (!isRefusal(error, 'unknown-topic')) this.#mustBeExplained(error);
    });
    this.#underWay.add(committing);
    if (order.wait) await committing.catch(() => undefined);
  }

  async #read(order: { topic: string; partition: number; from: number; maxBytes: number }): Promise<void> {
    const found = this.#find(order.topic, order.partition);
    if (found === undefined) return;
    const { log, partition } = found;
    const [start, end] = [Number(log.logStartOffset), Number(log.highWatermark)];
    const offset = start + Math.floor(order.from * (end - start + 1));
    const { batches } = await log.read(BigInt(offset), order.maxBytes);
    const records = recordsOf(partition.name, batches, offset);
    mustHold(records.length > 0 || offset === end, 'lost', () => `${partition.name}: nothing at ${offset} of ${end}`);
    partition.show(records, this.#setting.visibility === 'synced');
  }

  async #findTime(order: { topic: string; partition: number; at: number }): Promise<void> {
    const found = this.#find(order.topic, order.partition);
    if (found === undefined) return;
    const { log, partition } = found;
    const wanted = Math.floor(order.at * this.#model.serial * MS_PER_SERIAL);
    const before = Number(log.highWatermark);
    const first = await log.offsetForTimestamp(BigInt(wanted));
    const timeAt = (offset: number): number | undefined => {
      const known = partition.at(offset);
      return known && known.serial * MS_PER_SERIAL + Number(known.value.split('-')[1]);
    };
    for (let offset = Number(log.logStartOffset); offset < before; offset++) {
      const timeMs = timeAt(offset);
      if (timeMs === undefined || timeMs < wanted) continue;
      mustHold(
        first !== undefined && Number(first.offset) <= offset,
        'lost',
        () => `${partition.name}: no ${wanted} ms`,
      );
      break;
    }
    const timeMs = first && timeAt(Number(first.offset));
    if (timeMs === undefined) return;
    mustHold(
      timeMs >= wanted && timeMs === Number(first?.timestampMs),
      'diverged',
      () => `${partition.name}: ${timeMs} ms`,
    );
  }

  async #snapshot({ volume, wait }: { volume: string; wait: boolean }): Promise<void> {
    const isThere = await this.#isThere(volume);
    const askedAtSerial = this.#model.serial;
    const name = `${volume}@s${this.#model.nextSerial()}`;
    if (!isThere) return this.#refused(this.#engine.createSnapshot(name, {}), 'unknown-volume');
    const snapshot: SnapshotModel = { name, volume, presence: 'unknown', askedAtSerial, content: undefined };
    this.#model.snapshots.set(name, snapshot);
    const taking = this.#engine.createSnapshot(name, { askedAtSerial }).then(
      async () => {
        snapshot.presence = 'there';
        await this.#readSnapshot(snapshot).catch((error) => this.#mustBeExplained(error));
      },
      (error: unknown) => this.#mustBeExplained(error),
    );
    this.#snapshotsUnderWay.add(taking);
    this.#underWay.add(taking);
    if (wait) await taking.catch(() => undefined);
  }

  #someSnapshot(which: number): SnapshotModel | undefined {
    const there = [...this.#model.snapshots.values()].filter(({ presence }) => presence === 'there');
    return there[Math.floor(which * there.length)];
  }

  async #readSnapshot(snapshot: SnapshotModel): Promise<void> {
    const opened = await openSnapshot(DATA_DIR, snapshot.name, { disk: this.#disk });
    try {
      checkSnapshot(this.#model, snapshot, await contentOf(opened));
    } finally {
      await opened.close();
    }
  }

  async #deleteSnapshot(which: number): Promise<void> {
    await this.#snapshotsUnderWay.settled();
    const snapshot = this.#someSnapshot(which);
    if (snapshot === undefined) return;
    snapshot.presence = 'unknown';
    await deleteSnapshot(DATA_DIR, snapshot.name, { disk: this.#disk });
    this.#model.snapshots.delete(snapshot.name);
  }

  async #adopt(order: { volume: string; records: number; finish: boolean }): Promise<void> {
    const { volume, records } = order;
    const isTaken = this.#engine.volumes().some(({ name }) => name === volume);
    if (isTaken || this.#model.topicsOf(volume).length > 0) return;
    const staged = await stageVolume(DATA_DIR, volume, { disk: this.#disk, clock: () => this.#nowMs });
    try {
      const topic = new TopicModel(`${volume}.t`, 1, this.#model.nextSerial());
      await staged.engine.createTopic(topic.name, { partitionCount: 1 });
      const serial = this.#model.nextSerial();
      const values = Array.from({ length: records }, (_, i) => `r${serial}-${i}`);
      const batch = numberedBatch(`r${serial}`, records, serial * MS_PER_SERIAL);
      await staged.engine.partition(topic.name, 0)!.append(batch, 'written');
      if (!order.finish) return;
      await staged.finish();
      const sent = topic.partitions[0]!.send(serial, values);
      this.#model.topics.set(topic.name, topic);
      await this.#engine.adoptVolume(staged.id);
      topic.presence = 'there';
      topic.partitions[0]!.acknowledge(sent, 'synced', 0);
    } finally {
      await staged.discard();
    }
  }

  async #deleteVolume(volume: string): Promise<void> {
    await this.#snapshotsUnderWay.settled();
    const topics = this.#model.topicsOf(volume);
    if (topics.some(({ presence }) => presence === 'unknown')) return;
    if (!(await this.#isThere(volume))) {
      // A volume whose making was cut short is none, but what it left can be deleted.
      if ((await this.#disk.look(`${DATA_DIR}/${volume}`)) !== undefined) return this.#engine.deleteVolume(volume);
      return this.#refused(this.#engine.deleteVolume(volume), 'unknown-volume');
    }
    for (const topic of topics) topic.presence = 'unknown';
    this.#model.unsureVolumes.push({ volume, topics: topics.map(({ name }) => name) });
    const forgotten = [this.#model.forgetGroupsOf(volume), ...topics.map(({ name }) => this.#model.forgetTopic(name))];
    await this.#engine.deleteVolume(volume);
    this.#model.unsureVolumes.pop();
    for (const topic of topics) this.#model.topics.delete(topic.name);
    for (const acknowledge of forgotten) acknowledge();
  }

  /** A volume that is not there may be just about to be made. */
  async #isThere(volume: string): Promise<boolean> {
    const isThere = (): boolean => this.#engine.volumes().some(({ name }) => name === volume);
    if (!isThere()) await this.#underWay.settled();
    return isThere();
  }

  /** Waits until nothing is under way, then compares all that the live engine holds. */
  async #settle(): Promise<void> {
    await this.#underWay.settled();
    if (this.#disk.isGone || this.#mayFail || this.#setting.visibility === 'written') return;
    for (const { name, partitions } of this.#model.topics.values()) {
      for (const i of partitions.keys()) await this.#untilVisible(this.#engine.partition(name, i));
    }
    if (this.#disk.isGone) return;
    await this.#compare('closed');
  }

  async #untilVisible(log: PartitionLog | undefined): Promise<void> {
    while (log !== undefined && log.highWatermark < log.logEndOffset && !this.#disk.isGone) await setImmediate();
  }

  async #reopen(): Promise<void> {
    await this.#underWay.settled();
    const ending = this.#mayFail || this.#engine.volumes().some(({ stopped }) => stopped) ? 'killed' : 'closed';
    await this.#engine.close().catch((error: unknown) => this.#mustBeExplained(error));
    if (this.#disk.isGone || this.#hasFailedToSync()) return this.#recover(true, []);
    const { openFiles } = this.#disk;
    mustHold(openFiles === 0 || this.#mayFail, 'left-over', () => `${openFiles} files are open after close`);
    try {
      await this.open();
    } catch (error) {
      this.#mustBeExplained(error);
      if (this.#disk.isGone) return this.#recover(true, []);
      this.#disk.heal();
      await this.open();
    }
    if (this.#disk.isGone || this.#hasFailedToSync()) return this.#recover(true, []);
    this.#disk.heal();
    this.#mayFail = false;
    await this.#compare(ending);
  }

  /** The process is killed, or the power goes, now or a little while ago; then recovery, cut short as often as asked. */
  async #recover(mayLosePower: boolean, cutsShort: readonly number[]): Promise<void> {
    const losesPower = mayLosePower || this.#hasFailedToSync();
    let ending: Ending = losesPower ? 'power-lost' : 'killed';
    this.#disk.crash();
    await this.#engine.close().catch(() => undefined);
    await this.#underWay.settled();
    this.#disk = losesPower ? this.#disk.afterPowerLoss() : this.#disk.afterKill();
    let isOpen = false;
    for (const calls of cutsShort) {
      this.#disk.crashAfter(calls);
      isOpen = await this.open().then(
        () => !this.#disk.isGone,
        (error: unknown) => {
          if (!this.#disk.isGone) throw error;
          return false;
        },
      );
      if (isOpen) break;
      if (this.#random.chance(0.5)) {
        this.#disk = this.#disk.afterKill();
      } else {
        ending = 'power-lost';
        this.#disk = this.#disk.afterPowerLoss();
      }
    }
    this.#mayFail = false;
    this.#disk.crashAfter(Number.POSITIVE_INFINITY);
    if (!isOpen) await this.open();
    await this.#compare(ending);
    const leftOver = this.#disk.filesUnder(DATA_DIR).find((path) => /\.tmp|\.trash-|\.staging/.test(path));
    mustHold(leftOver === undefined, 'left-over', () => `${leftOver} is still there`);
  }

  /**
   * After a sync that failed, the system may show pages that never reach the disk. The next engine cannot tell them from
   * others, so here the machine is always started anew then.
   */
  #hasFailedToSync(): boolean {
    const failures = this.#disk.injected.get('EIO of sync') ?? 0;
    const hasFailed = failures > this.#syncFailures;
    this.#syncFailures = failures;
    return hasFailed;
  }

  /** Compares everything; what is there counts as known from now on. */
  async #compare(ending: Ending): Promise<void> {
    this.#settlePresence();
    for (const topic of this.#model.topics.values()) {
      for (const [i, partition] of topic.partitions.entries()) {
        const log = this.#engine.partition(topic.name, i);
        mustHold(log !== undefined, 'lost', () => `there is no ${partition.name}`);
        const found = await readWholeLog(partition.name, log);
        partition.settle(ending, found, this.#setting.volumeQuotaBytes !== undefined);
        const end = Number(log.logEndOffset);
        mustHold(end === partition.end, 'diverged', () => `${partition.name} ends at ${end}, not ${partition.end}`);
      }
    }
    for (const name of this.#engine.groupsWithOffsets()) this.#model.group(name);
    for (const [name, group] of this.#model.groups) group.settle(offsetsOf(this.#engine, name));
    const names = new Set((await listSnapshots(DATA_DIR, undefined, { disk: this.#disk })).map(({ name }) => name));
    for (const snapshot of [...this.#model.snapshots.values()]) {
      const { name, presence } = snapshot;
      const isThere = names.delete(name);
      mustHold(isThere || presence !== 'there', 'lost', () => `there is no snapshot ${name}`);
      snapshot.presence = isThere ? 'there' : 'gone';
      if (isThere) await this.#readSnapshot(snapshot);
      else this.#model.snapshots.delete(name);
    }
    mustHold(names.size === 0, 'doubled', () => `nobody took the snapshots ${[...names].join(', ')}`);
  }

  /** Which topics are there: those that should be, and any of those whose making or deletion did not return. */
  #settlePresence(): void {
    const names = new Set(this.#engine.topics().map(({ name }) => name));
    for (const { volume, topics } of this.#model.unsureVolumes) {
      const there = topics.filter((name) => names.has(name));
      const isWhole = there.length === 0 || there.length === topics.length;
      mustHold(isWhole, 'lost', () => `of volume ${volume} only ${there.join(', ')} are there`);
    }
    this.#model.unsureVolumes = [];
    for (const topic of [...this.#model.topics.values()]) {
      const isThere = names.delete(topic.name);
      mustHold(isThere || topic.presence !== 'there', 'lost', () => `there is no topic ${topic.name}`);
      topic.presence = isThere ? 'there' : 'gone';
      if (!isThere) this.#model.topics.delete(topic.name);
    }
    mustHold(names.size === 0, 'doubled', () => `nobody made the topics ${[...names].join(', ')}`);
  }

  #find(name: string, number: number): { topic: TopicModel; log: PartitionLog; partition: PartitionModel } | undefined {
    const topic = this.#model.topic(name);
    if (topic === undefined) return undefined;
    const log = this.#engine.partition(name, number);
    mustHold(log !== undefined, 'lost', () => `there is no ${name}/${number}`);
    return { topic, log, partition: topic.partitions[number]! };
  }

  async #refused(call: Promise<unknown>, code: EngineErrorCode): Promise<void> {
    const answer = await call.then(
      () => 'done',
      (error: unknown) => error,
    );
    if (!isRefusal(answer, code) && !this.#isExplained(answer)) {
      throw new Violation('unexplained', `expected ${code}`, answer);
    }
  }

  #mustBeExplained(error: unknown): void {
    if (error instanceof Violation) throw error;
    if (!this.#isExplained(error)) throw new Violation('unexplained', String(error), error);
  }

  #isExplained(error: unknown): boolean {
    if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) return false;
    if (this.#disk.isGone || this.#mayFail) return true;
    return this.#setting.volumeQuotaBytes !== undefined && isRefusal(error, 'volume-full');
  }

  /** Nothing on the disk was damaged, so nothing may be said to be. */
  #hear({ kind, detail }: EngineEvent): void {
    if (kind === 'range-damaged') this.#underWay.add(Promise.reject(new Violation('lost', detail)));
  }
}

function isRefusal(error: unknown, code: EngineErrorCode): boolean {
  return error instanceof EngineError && error.code === code;
}
