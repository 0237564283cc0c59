import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { apis } from '@tickfold/kafka-protocol';
import { SeededRandom } from '@tickfold/testkit/faulty-disk';
import { RawClient } from '../raw-client.ts';
import type { FromMember, ToMember } from './member-child.ts';
import { batchOf } from './some-batches.ts';
import { startProcess } from './target.ts';
import { mustHold } from './violation.ts';

const TOPIC = 'work.items';
const GROUP = 'work.group';
const PARTITIONS = 8;
const MOST_MEMBERS = 4;
/** A batch to one of the partitions every so often. */
const PAUSE_MS = 2;
const LOOK_MS = 100;
/** Far more than a session and a rebalance take. */
const STUCK_MS = 30_000;

export interface RebalanceTally {
  rebalances: number;
  killed: number;
  left: number;
  records: number;
  /** Processed again, since who had processed them was gone before it had committed. */
  again: number;
  /** From a member's coming or going to the next division. */
  longestMs: number;
}

/**
 * A group whose members come, leave and are killed while records are written, until the partitions were divided so often.
 * @throws Violation where a record is never processed, a committed offset moves back or passes the end, or nothing moves
 */
export async function runRebalances(
  seed: number,
  count: number,
  { parent, onProgress }: { parent: string; onProgress: (done: number) => void },
): Promise<RebalanceTally> {
  mkdirSync(parent, { recursive: true });
  const dataDir = mkdtempSync(join(resolve(parent), 'torture-rebalances-'));
  const target = await startProcess(dataDir);
  const group = new GroupUnderLoad(target.port, new SeededRandom(seed));
  try {
    await group.begin();
    while (group.tally.rebalances < count) {
      await group.change();
      onProgress(Math.min(group.tally.rebalances, count));
    }
    await group.finish();
    return group.tally;
  } finally {
    group.end();
    await target.end('kill');
    rmSync(dataDir, { recursive: true, force: true });
  }
}

class GroupUnderLoad {
  readonly tally: RebalanceTally = { rebalances: 0, killed: 0, left: 0, records: 0, again: 0, longestMs: 0 };
  readonly #port: number;
  readonly #random: SeededRandom;
  readonly #members = new Set<ChildProcess>();
  /** How often each record was processed, by partition and offset. */
  readonly #processed: number[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly #ends: number[] = new Array(PARTITIONS).fill(0);
  readonly #committed: number[] = new Array(PARTITIONS).fill(-1);
  #writer: RawClient | undefined;
  #watcher: RawClient | undefined;
  #isWriting = true;
  #writing: Promise<void> | undefined;
  #onDivided: () => void = () => {};

  constructor(port: number, random: SeededRandom) {
    this.#port = port;
    this.#random = random;
  }

  async begin(): Promise<void> {
    this.#writer = await RawClient.connect(this.#port);
    this.#watcher = await RawClient.connect(this.#port);
    const topic = { name: TOPIC, partitionCount: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] };
    await this.#writer.call(apis.createTopics, 2, { topics: [topic], timeoutMs: 1_000, validateOnly: false });
    this.#writing = this.#write();
    await this.#untilDivided(() => this.#add());
  }

  /** One member comes, leaves or is killed; resolves when the partitions are divided again. */
  async change(): Promise<void> {
    const mayGo = this.#members.size > 1;
    const mayCome = this.#members.size < MOST_MEMBERS;
    await this.#untilDivided(() => {
      if (!mayGo || (mayCome && this.#random.chance(0.5))) this.#add();
      else this.#remove(this.#random.chance(0.7));
    });
    await this.#look();
  }

  /** Nothing more is written; all that was has to be processed and committed. */
  async finish(): Promise<void> {
    this.#isWriting = false;
    await this.#writing;
    const startedAtMs = performance.now();
    const isDone = (): boolean =>
      this.#ends.every((end, partition) => (this.#committed[partition] ?? -1) >= end || end === 0);
    while (!isDone()) {
      const isStuck = performance.now() - startedAtMs > STUCK_MS;
      mustHold(!isStuck, 'starved', () => `committed ${this.#committed} of ${this.#ends} after ${STUCK_MS} ms`);
      await delay(LOOK_MS);
      await this.#look();
    }
    for (const [partition, end] of this.#ends.entries()) {
      for (let offset = 0; offset < end; offset++) {
        const times = this.#processed[partition]![offset] ?? 0;
        mustHold(times > 0, 'lost', () => `offset ${offset} of partition ${partition} was never processed`);
        this.tally.again += times - 1;
      }
      this.tally.records += end;
    }
  }

  end(): void {
    for (const member of this.#members) member.kill('SIGKILL');
    this.#writer?.close();
    this.#watcher?.close();
  }

  async #write(): Promise<void> {
    for (let i = 0; this.#isWriting; i++) {
      const index = i % PARTITIONS;
      const partition = { index, records: [batchOf('worker', `item ${i}`)] };
      const { topics } = await this.#writer!.call(apis.produce, 7, {
        transactionalId: null,
        acks: -1,
        timeoutMs: STUCK_MS,
        topics: [{ name: TOPIC, partitions: [partition] }],
      });
      this.#ends[index] = Number(topics[0]!.partitions[0]!.baseOffset) + 1;
      await delay(PAUSE_MS);
    }
  }

  #add(): void {
    const path = fileURLToPath(new URL('member-child.js', import.meta.url));
    const member = fork(path, [`127.0.0.1:${this.#port}`, TOPIC, GROUP]);
    this.#members.add(member);
    member.on('message', (message: FromMember) => {
      if ('joined' in message) {
        if (!message.joined.isLeader) return;
        this.tally.rebalances++;
        this.#onDivided();
        return;
      }
      const { partition, first, last } = message.processed;
      const counts = this.#processed[partition]!;
      for (let offset = Number(first); offset <= Number(last); offset++) counts[offset] = (counts[offset] ?? 0) + 1;
      // One that was killed meanwhile does not hear it.
      member.send('confirmed' satisfies ToMember, () => {});
    });
  }

  #remove(isKilled: boolean): void {
    const member = this.#random.pick([...this.#members]);
    this.#members.delete(member);
    if (isKilled) {
      this.tally.killed++;
      member.kill('SIGKILL');
    } else {
      this.tally.left++;
      member.send('leave' satisfies ToMember);
    }
  }

  async #untilDivided(change: () => void): Promise<void> {
    const startedAtMs = performance.now();
    const divided = new Promise<void>((resolve) => {
      this.#onDivided = resolve;
    });
    change();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), STUCK_MS);
    });
    const first = await Promise.race([divided, late]);
    clearTimeout(timer);
    mustHold(first !== 'late', 'starved', () => `no division within ${STUCK_MS} ms of a change`);
    this.tally.longestMs = Math.max(this.tally.longestMs, Math.round(performance.now() - startedAtMs));
  }

  /** @throws Violation where a committed offset moved back or past the end */
  async #look(): Promise<void> {
    const partitions = Array.from({ length: PARTITIONS }, (_, index) => index);
    const { topics } = await this.#watcher!.call(apis.offsetFetch, 5, {
      groupId: GROUP,
      topics: [{ name: TOPIC, partitions }],
      groups: [],
      requireStable: false,
    });
    for (const { index, committedOffset } of topics[0]!.partitions) {
      const [before, now] = [this.#committed[index]!, Number(committedOffset)];
      mustHold(now >= before, 'moved-back', () => `the offset of partition ${index}: ${before}, then ${now}`);
      this.#committed[index] = now;
      // The write that is under way may be processed before its answer is here.
      mustHold(now <= this.#ends[index]! + 1, 'diverged', () => `offset ${now} of partition ${index} is past its end`);
    }
  }
}
