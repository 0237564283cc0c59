import { errorCodes } from '@tickfold/kafka-protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DEFAULT_GROUP_SETTINGS } from '../options.ts';
import { GroupCoordinator } from './coordinator.ts';
import type { JoinRequest } from './group.ts';
import type { JoinAnswer } from './member.ts';

const SESSION_MS = 10_000;
const REBALANCE_MS = 30_000;
const GROUP = 'market.group';

let coordinator: GroupCoordinator;

beforeEach(() => {
  vi.useFakeTimers();
  coordinator = new GroupCoordinator({ ...DEFAULT_GROUP_SETTINGS, initialRebalanceDelayMs: 0 });
});

afterEach(() => {
  coordinator.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function request(changes: Partial<JoinRequest> = {}): JoinRequest {
  return {
    memberId: '',
    groupInstanceId: null,
    clientId: 'c',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: SESSION_MS,
    rebalanceTimeoutMs: REBALANCE_MS,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('topics') }],
    idIsRequired: false,
    canSkipAssignment: false,
    ...changes,
  };
}

function join(changes: Partial<JoinRequest> = {}): Promise<JoinAnswer> {
  return Promise.resolve(coordinator.join(GROUP, request(changes)));
}

function senderOf({ memberId, generationId }: JoinAnswer, groupInstanceId: string | null = null) {
  return { memberId, generationId, groupInstanceId };
}

async function sync(member: JoinAnswer, parts: Record<string, string> = {}, instanceId: string | null = null) {
  const assignments = new Map(Object.entries(parts).map(([id, part]) => [id, Buffer.from(part)]));
  const { errorCode, assignment } = await coordinator.sync(
    GROUP,
    { ...senderOf(member, instanceId), protocolType: null, protocolName: null },
    assignments,
  );
  return { errorCode, part: Buffer.from(assignment).toString() };
}

function heartbeat(member: JoinAnswer): number {
  return coordinator.heartbeat(GROUP, senderOf(member));
}

/** A stable group of two; the first is the leader. */
async function two(): Promise<[JoinAnswer, JoinAnswer]> {
  const first = await join();
  const [second, again] = await Promise.all([join(), join({ memberId: first.memberId })]);
  await Promise.all([sync(again, { [again.memberId]: 'p0', [second.memberId]: 'p1' }), sync(second)]);
  return [again, second];
}

describe('joining', () => {
  test('the first member leads and is told who is there', async () => {
    const answer = await join();
    expect(answer).toMatchObject({ errorCode: 0, generationId: 1, protocolName: 'range', leader: answer.memberId });
    expect(answer.members.map(({ memberId }) => memberId)).toEqual([answer.memberId]);
  });

  test('a newcomer begins a generation that waits for those who are there', async () => {
    const first = await join();
    await sync(first);
    const second = join();
    expect(heartbeat(first)).toBe(errorCodes.REBALANCE_IN_PROGRESS);
    const [joined, rejoined] = await Promise.all([second, join({ memberId: first.memberId })]);
    expect([joined.generationId, rejoined.generationId]).toEqual([2, 2]);
    expect(rejoined.members).toHaveLength(2);
    expect(joined.members).toEqual([]);
  });

  test('who does not come back within the rebalance timeout is left behind', async () => {
    const first = await join();
    await sync(first);
    const second = join();
    heartbeat(first);
    const alive = setInterval(() => heartbeat(first), SESSION_MS / 2);
    await vi.advanceTimersByTimeAsync(REBALANCE_MS);
    clearInterval(alive);
    expect((await second).members).toHaveLength(1);
    expect(heartbeat(first)).toBe(errorCodes.UNKNOWN_MEMBER_ID);
  });

  test('a new client is given an id first, and joins with it', async () => {
    const refused = await join({ idIsRequired: true });
    expect(refused.errorCode).toBe(errorCodes.MEMBER_ID_REQUIRED);
    expect(await join({ memberId: refused.memberId, idIsRequired: true })).toMatchObject({
      errorCode: 0,
      memberId: refused.memberId,
    });
  });

  test('a generation waits for those who were given an id, but not for ever', async () => {
    await join({ idIsRequired: true });
    const second = join();
    await vi.advanceTimersByTimeAsync(SESSION_MS);
    expect((await second).generationId).toBe(1);
  });

  test('an empty group waits a moment, so that members that start together share its first generation', async () => {
    coordinator = new GroupCoordinator({ ...DEFAULT_GROUP_SETTINGS, initialRebalanceDelayMs: 100 });
    const both = Promise.all([join(), join()]);
    await vi.advanceTimersByTimeAsync(100);
    const [first, second] = await both;
    expect([first.generationId, second.generationId]).toEqual([1, 1]);
    expect(first.members).toHaveLength(2);
  });

  test('members agree on the way of dividing that all of them know', async () => {
    const protocols = (...names: string[]) => names.map((name) => ({ name, metadata: Buffer.from(name) }));
    const first = await join({ protocols: protocols('sticky', 'range') });
    const second = join({ protocols: protocols('roundrobin', 'range') });
    const rejoined = await join({ memberId: first.memberId, protocols: protocols('sticky', 'range') });
    expect(rejoined.protocolName).toBe('range');
    expect(rejoined.members.map(({ metadata }) => Buffer.from(metadata).toString())).toEqual(['range', 'range']);
    expect((await second).protocolName).toBe('range');
    expect((await join({ protocols: protocols('other') })).errorCode).toBe(errorCodes.INCONSISTENT_GROUP_PROTOCOL);
  });

  test.each([
    ['an id that nobody has', { memberId: 'nobody' }, errorCodes.UNKNOWN_MEMBER_ID],
    ['a session that is too short', { sessionTimeoutMs: 10 }, errorCodes.INVALID_SESSION_TIMEOUT],
    ['no protocol', { protocols: [] }, errorCodes.INCONSISTENT_GROUP_PROTOCOL],
  ])('%s is refused', async (_what, changes, errorCode) => {
    expect((await join(changes)).errorCode).toBe(errorCode);
  });
});

describe('dividing', () => {
  test('every member gets the part that the leader gave it, also when it asks first', async () => {
    const first = await join();
    const [second, again] = await Promise.all([join(), join({ memberId: first.memberId })]);
    const waiting = sync(second);
    expect(await sync(again, { [again.memberId]: 'p0', [second.memberId]: 'p1' })).toEqual({
      errorCode: 0,
      part: 'p0',
    });
    expect(await waiting).toEqual({ errorCode: 0, part: 'p1' });
    expect(coordinator.view(GROUP)!.state).toBe('Stable');
  });

  test('a leader that never divides is left behind after the rebalance timeout', async () => {
    const first = await join();
    const [second, again] = await Promise.all([join(), join({ memberId: first.memberId })]);
    const waiting = sync(second);
    const alive = setInterval(() => heartbeat(again), SESSION_MS / 2);
    await vi.advanceTimersByTimeAsync(REBALANCE_MS);
    clearInterval(alive);
    expect((await waiting).errorCode).toBe(errorCodes.REBALANCE_IN_PROGRESS);
    const next = await join({ memberId: second.memberId });
    expect(next.leader).toBe(second.memberId);
  });

  test('a member that believes in another way of dividing is refused', async () => {
    const only = await join();
    const ask = (protocolType: string, protocolName: string) =>
      coordinator.sync(GROUP, { ...senderOf(only), protocolType, protocolName }, new Map());
    expect((await ask('consumer', 'sticky')).errorCode).toBe(errorCodes.INCONSISTENT_GROUP_PROTOCOL);
    expect((await ask('connect', 'range')).errorCode).toBe(errorCodes.INCONSISTENT_GROUP_PROTOCOL);
    expect(await ask('consumer', 'range')).toMatchObject({
      errorCode: 0,
      protocolType: 'consumer',
      protocolName: 'range',
    });
  });

  test('a member of an earlier generation is refused', async () => {
    const [first] = await two();
    const old = { ...first, generationId: first.generationId - 1 };
    expect((await sync(old)).errorCode).toBe(errorCodes.ILLEGAL_GENERATION);
    expect(heartbeat(old)).toBe(errorCodes.ILLEGAL_GENERATION);
    expect(coordinator.checkCommit(GROUP, senderOf(old))).toBe(errorCodes.ILLEGAL_GENERATION);
  });
});

describe('leaving', () => {
  test('a member without a sign of life is gone after its session timeout, and the others divide again', async () => {
    const [first, second] = await two();
    await vi.advanceTimersByTimeAsync(SESSION_MS - 1);
    expect(heartbeat(first)).toBe(errorCodes.NONE);
    await vi.advanceTimersByTimeAsync(1);
    expect(heartbeat(second)).toBe(errorCodes.UNKNOWN_MEMBER_ID);
    expect(heartbeat(first)).toBe(errorCodes.REBALANCE_IN_PROGRESS);
    expect((await join({ memberId: first.memberId })).members).toHaveLength(1);
  });

  test('the last one leaves an empty group behind, which can be deleted', async () => {
    const only = await join();
    await sync(only);
    expect(coordinator.delete(GROUP)).toBe(errorCodes.NON_EMPTY_GROUP);
    expect(coordinator.leave(GROUP, only.memberId, null)).toBe(errorCodes.NONE);
    expect(coordinator.view(GROUP)!.state).toBe('Empty');
    expect(coordinator.delete(GROUP)).toBe(errorCodes.NONE);
    expect(coordinator.groupIds()).toEqual([]);
  });

  test('who waits for the others is answered when the coordinator closes', async () => {
    const first = await join();
    await sync(first);
    const second = join();
    coordinator.close();
    expect((await second).errorCode).toBe(errorCodes.COORDINATOR_NOT_AVAILABLE);
  });
});

describe('static members', () => {
  test('come back under their name within the session without a new division', async () => {
    const first = await join();
    const waiting = join({ groupInstanceId: 'two' });
    const again = await join({ memberId: first.memberId });
    const second = await waiting;
    await Promise.all([sync(again, { [second.memberId]: 'p1' }), sync(second, {}, 'two')]);

    const back = await join({ groupInstanceId: 'two' });
    expect(back).toMatchObject({ errorCode: 0, generationId: again.generationId });
    expect(back.memberId).not.toBe(second.memberId);
    expect(await sync(back, {}, 'two')).toEqual({ errorCode: 0, part: 'p1' });
    expect(heartbeat(again)).toBe(errorCodes.NONE);
  });

  test('lead on when they come back: nothing is divided again, and old clients are told that another one leads', async () => {
    const leader = await join({ groupInstanceId: 'one' });
    await sync(leader, { [leader.memberId]: 'p0' }, 'one');
    const old = await join({ groupInstanceId: 'one' });
    expect(old).toMatchObject({ errorCode: 0, generationId: 1, leader: leader.memberId, members: [] });
    const current = await join({ groupInstanceId: 'one', canSkipAssignment: true });
    expect(current).toMatchObject({ errorCode: 0, generationId: 1, leader: current.memberId, skipAssignment: true });
    expect(current.members).toHaveLength(1);
    expect(await sync(current, {}, 'one')).toEqual({ errorCode: 0, part: 'p0' });
  });

  test('that read something else when they come back are divided anew', async () => {
    const leader = await join({ groupInstanceId: 'one' });
    await sync(leader, { [leader.memberId]: 'p0' }, 'one');
    const protocols = [{ name: 'range', metadata: Buffer.from('other topics') }];
    expect(await join({ groupInstanceId: 'one', protocols })).toMatchObject({ errorCode: 0, generationId: 2 });
  });

  test('fence the former holder of their name', async () => {
    const former = await join({ groupInstanceId: 'one' });
    await sync(former, {}, 'one');
    await join({ groupInstanceId: 'one' });
    expect(coordinator.heartbeat(GROUP, senderOf(former, 'one'))).toBe(errorCodes.FENCED_INSTANCE_ID);
  });
});

describe('commits', () => {
  test('of members count while they own partitions: in their generation, and not between join and sync', async () => {
    const [first] = await two();
    expect(coordinator.checkCommit(GROUP, senderOf(first))).toBe(errorCodes.NONE);
    const newcomer = join();
    expect(coordinator.checkCommit(GROUP, senderOf(first))).toBe(errorCodes.NONE);
    await vi.advanceTimersByTimeAsync(SESSION_MS);
    expect(coordinator.checkCommit(GROUP, senderOf(await newcomer))).toBe(errorCodes.REBALANCE_IN_PROGRESS);
  });

  test('without membership are taken only while the group has no members', async () => {
    const simple = { memberId: '', generationId: -1, groupInstanceId: null };
    expect(coordinator.checkCommit(GROUP, simple)).toBe(errorCodes.NONE);
    await join();
    expect(coordinator.checkCommit(GROUP, simple)).toBe(errorCodes.UNKNOWN_MEMBER_ID);
    expect(coordinator.checkCommit('other', { ...simple, generationId: 3 })).toBe(errorCodes.ILLEGAL_GENERATION);
  });

  test('of a member that the group has forgotten are refused by that name, also when the group is empty', async () => {
    const only = await join();
    await sync(only);
    coordinator.leave(GROUP, only.memberId, null);
    expect(coordinator.checkCommit(GROUP, senderOf(only))).toBe(errorCodes.UNKNOWN_MEMBER_ID);
  });
});

test('groups without members are forgotten, oldest first, when there are too many', async () => {
  coordinator = new GroupCoordinator({ ...DEFAULT_GROUP_SETTINGS, maxEmptyGroups: 2, initialRebalanceDelayMs: 0 });
  for (const id of ['a', 'b', 'c']) {
    const { memberId } = await coordinator.join(id, request());
    coordinator.leave(id, memberId, null);
  }
  expect(coordinator.groupIds()).toEqual(['b', 'c']);
});

describe('bounds', () => {
  const bounded = (settings: Partial<typeof DEFAULT_GROUP_SETTINGS>) => {
    coordinator = new GroupCoordinator({ ...DEFAULT_GROUP_SETTINGS, initialRebalanceDelayMs: 0, ...settings });
  };

  test('there are never more members than the limit, with those on the way in, in all groups together', async () => {
    bounded({ maxMembers: 2 });
    const first = await join();
    expect((await coordinator.join('other', request({ idIsRequired: true }))).errorCode).toBe(
      errorCodes.MEMBER_ID_REQUIRED,
    );
    expect((await coordinator.join('third', request())).errorCode).toBe(errorCodes.GROUP_MAX_SIZE_REACHED);
    expect((await join({ memberId: first.memberId })).errorCode).toBe(0);
    coordinator.leave(GROUP, first.memberId, null);
    expect((await coordinator.join('third', request())).errorCode).toBe(0);
  });

  test('members keep no more bytes here than the limit: neither of what they say, nor of their parts', async () => {
    bounded({ maxMemberBytes: 10_000 });
    const large = { protocols: [{ name: 'range', metadata: Buffer.alloc(10_000) }] };
    expect((await join(large)).errorCode).toBe(errorCodes.GROUP_MAX_SIZE_REACHED);
    const member = await join();
    expect((await sync(member, { [member.memberId]: 'x'.repeat(10_000) })).errorCode).toBe(
      errorCodes.GROUP_MAX_SIZE_REACHED,
    );
    expect(await sync(member, { [member.memberId]: 'x' })).toEqual({ errorCode: 0, part: 'x' });
  });
});
