import { errorCodes } from '@tickfold/kafka-protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DEFAULT_GROUP_SETTINGS } from '../options.ts';
import { GroupCoordinator } from './coordinator.ts';
import type { JoinAnswer } from './member.ts';

const GROUP = 'g';
const SESSION_MS = 10_000;
const REBALANCE_MS = 30_000;
const HEARTBEAT_MS = 3_000;
const PARTITIONS = [0, 1, 2, 3, 4, 5, 6];

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A consumer as real ones are: it joins, divides when it leads, and begins again at whatever it is told. */
class Consumer {
  readonly #coordinator: GroupCoordinator;
  readonly #idIsRequired: boolean;
  #memberId = '';
  /** What it may read by its own belief, in which generation. */
  owned: { generationId: number; partitions: number[] } | undefined;
  isAlive = true;

  constructor(coordinator: GroupCoordinator, idIsRequired: boolean) {
    this.#coordinator = coordinator;
    this.#idIsRequired = idIsRequired;
    void this.#run();
  }

  kill(): void {
    this.isAlive = false;
    this.owned = undefined;
  }

  leave(): void {
    this.kill();
    this.#coordinator.leave(GROUP, this.#memberId, null);
  }

  async #run(): Promise<void> {
    while (this.isAlive) {
      const joined = await this.#join();
      if (joined !== undefined && (await this.#sync(joined))) await this.#stay(joined.generationId);
      this.owned = undefined;
    }
  }

  async #join(): Promise<JoinAnswer | undefined> {
    const answer = await this.#coordinator.join(GROUP, {
      memberId: this.#memberId,
      groupInstanceId: null,
      clientId: 'c',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('t') }],
      idIsRequired: this.#idIsRequired,
      canSkipAssignment: true,
    });
    if (!this.isAlive) return undefined;
    this.#memberId = answer.errorCode === errorCodes.UNKNOWN_MEMBER_ID ? '' : answer.memberId;
    return answer.errorCode === errorCodes.NONE ? answer : undefined;
  }

  async #sync({ generationId, members }: JoinAnswer): Promise<boolean> {
    const parts = members.map(({ memberId }, at): [string, Buffer] => [
      memberId,
      Buffer.from(PARTITIONS.filter((partition) => partition % members.length === at)),
    ]);
    const sender = { memberId: this.#memberId, groupInstanceId: null, generationId };
    const belief = { protocolType: 'consumer', protocolName: 'range' };
    const answer = await this.#coordinator.sync(GROUP, { ...sender, ...belief }, new Map(parts));
    if (!this.isAlive) return false;
    if (answer.errorCode === errorCodes.UNKNOWN_MEMBER_ID) this.#memberId = '';
    if (answer.errorCode !== errorCodes.NONE) return false;
    this.owned = { generationId, partitions: [...answer.assignment] };
    return true;
  }

  /** Until it is told that something changed. */
  async #stay(generationId: number): Promise<void> {
    const sender = { memberId: this.#memberId, groupInstanceId: null, generationId };
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, HEARTBEAT_MS));
      if (!this.isAlive) return;
      const errorCode = this.#coordinator.heartbeat(GROUP, sender);
      if (errorCode === errorCodes.UNKNOWN_MEMBER_ID) this.#memberId = '';
      if (errorCode !== errorCodes.NONE) return;
    }
  }
}

const event = fc.record({
  what: fc.constantFrom('start', 'start', 'kill', 'leave'),
  which: fc.nat(9),
  idIsRequired: fc.boolean(),
  thenMs: fc.constantFrom(0, 1, 50, 2_999, 9_999, 10_000, 31_000),
});

test('whoever comes and goes, in the end those who are there own every partition once, and never two the same in one generation', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 25 }), async (events) => {
      const coordinator = new GroupCoordinator({ ...DEFAULT_GROUP_SETTINGS, initialRebalanceDelayMs: 20 });
      const consumers: Consumer[] = [];
      const alive = () => consumers.filter(({ isAlive }) => isAlive);
      const checkOwners = (): void => {
        const claims = alive().flatMap(({ owned }) =>
          (owned?.partitions ?? []).map((partition) => `${partition} in ${owned!.generationId}`),
        );
        expect(new Set(claims).size).toBe(claims.length);
      };

      for (const { what, which, idIsRequired, thenMs } of events) {
        if (what === 'start') consumers.push(new Consumer(coordinator, idIsRequired));
        else consumers[which % consumers.length]?.[what as 'kill' | 'leave']();
        await vi.advanceTimersByTimeAsync(thenMs);
        checkOwners();
      }
      await vi.advanceTimersByTimeAsync(5 * REBALANCE_MS);

      const owned = alive().flatMap((consumer) => consumer.owned?.partitions ?? []);
      expect(owned.sort()).toEqual(alive().length === 0 ? [] : PARTITIONS);
      expect(coordinator.view(GROUP)?.members.length ?? 0).toBe(alive().length);
      expect(new Set(alive().map((consumer) => consumer.owned?.generationId)).size).toBeLessThanOrEqual(1);
      for (const consumer of consumers) consumer.kill();
      coordinator.close();
      await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 100 },
  );
});
