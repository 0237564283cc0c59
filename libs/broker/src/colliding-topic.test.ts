import type { LogEngine } from '@tickfold/log-engine';
import { expect, test } from 'vitest';
import { collidingTopic } from './colliding-topic.ts';

function engineWith(...names: string[]): LogEngine {
  const topics = names.map((name) => ({ name }));
  return {
    topics: () => topics,
    topic: (name: string) => topics.find((topic) => topic.name === name),
  } as unknown as LogEngine;
}

test.each([
  ['a_b', 'a.b'],
  ['market.ticks_1', 'market_ticks.1'],
  ['a_b_c_d_e_f_g_h', 'a.b_c.d_e.f_g.h'],
])('%s collides with %s', (name, other) => {
  expect(collidingTopic(engineWith('x', other), name)).toBe(other);
});

test.each(['ab', 'a.b', 'a-b', 'a.b_c', 'a.b.c.d.e.f.g.h'])('%s collides with none of the others', (name) => {
  expect(collidingTopic(engineWith('a.b', 'a.b.c.d.e.f.g.h', 'c'), name)).toBeUndefined();
});
