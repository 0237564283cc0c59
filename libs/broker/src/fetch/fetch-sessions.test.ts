import type { LogEngine } from '@tickfold/log-engine';
import { expect, test } from 'vitest';
import { FetchSessions } from './fetch-sessions.ts';
import { Following } from './following.ts';

const TWO_MINUTES_MS = 120_000;
const noEngine = {} as LogEngine;

function followingOf(count: number): Following {
  const following = new Following(noEngine);
  for (let index = 0; index < count; index++) following.follow('t', index, 0n, 1);
  return following;
}

function sessionsOf(limits: { fetchSessions: number; fetchSessionPartitions: number }) {
  let nowMs = 0;
  const sessions = new FetchSessions(limits, () => nowMs);
  const connection = new AbortController().signal;
  return {
    sessions,
    pass(ms: number) {
      nowMs += ms;
    },
    open: (count = 1) => sessions.open(followingOf(count), 'uncommitted', connection)?.id,
  };
}

test('a session makes room when it was not used for two minutes, the one that waited longest first', () => {
  const { sessions, pass, open } = sessionsOf({ fetchSessions: 2, fetchSessionPartitions: 10 });
  const [used, unused] = [open()!, open()!];
  pass(TWO_MINUTES_MS - 1);
  sessions.take(used, 1);
  expect(open()).toBeUndefined();
  pass(1);
  expect(open()).toBeDefined();
  expect(sessions.take(unused, 1)).toBeTypeOf('number');
  expect(sessions.take(used, 2)).toBeTypeOf('object');
});

test('as many sessions make room as the partitions of a new one need', () => {
  const { sessions, pass, open } = sessionsOf({ fetchSessions: 10, fetchSessionPartitions: 10 });
  for (let i = 0; i < 5; i++) open(2);
  pass(TWO_MINUTES_MS);
  expect(open(5)).toBeDefined();
  expect(sessions.size).toBe(3);
  expect(open(11)).toBeUndefined();
  expect(sessions.size).toBe(3);
});

test('the epoch after the last one is the first', () => {
  const { sessions, open } = sessionsOf({ fetchSessions: 1, fetchSessionPartitions: 1 });
  const id = open()!;
  const session = sessions.take(id, 1);
  if (typeof session === 'number') throw new Error(`refused: ${session}`);
  session.epoch = 2_147_483_647;
  sessions.take(id, 2_147_483_647);
  expect(session.epoch).toBe(1);
});

test('what a session follows is left when its connection ends', () => {
  const { sessions } = sessionsOf({ fetchSessions: 1, fetchSessionPartitions: 10 });
  const connection = new AbortController();
  const following = followingOf(3);
  sessions.open(following, 'uncommitted', connection.signal);
  connection.abort();
  expect([sessions.size, following.size]).toEqual([0, 0]);
});
