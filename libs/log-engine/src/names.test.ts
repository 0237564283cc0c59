import { expect, test } from 'vitest';
import { isVolumeName, volumeOfGroup, volumeOfTopic } from './names.ts';

test.each([
  ['market.ticks', 'market'],
  ['model-reversion-2.decisions', 'model-reversion-2'],
  ['a.b.c', 'a'],
  ['Orders', 'default'],
  ['__consumer_offsets', 'default'],
  ['Market.ticks', 'default'],
  ['_schemas.v1', 'default'],
  ['.hidden', 'default'],
  ['-x.y', 'default'],
  [`${'x'.repeat(101)}.y`, 'default'],
  ['x'.repeat(249), 'default'],
])('topic %s lies in volume %s', (topic, volume) => {
  expect(volumeOfTopic(topic)).toBe(volume);
});

test.each(['', '.', '..', '../x', 'a/b', 'a b', 'é', 'x'.repeat(250), `a\0b`])(
  'topic name %j is refused as illegal',
  (topic) => {
    expect(() => volumeOfTopic(topic)).toThrow(expect.objectContaining({ code: 'illegal-name' }));
  },
);

test('a group whose name gives no legal volume keeps its offsets in the volume default', () => {
  expect(volumeOfGroup('model-reversion-2.analytics')).toBe('model-reversion-2');
  expect(['plain', 'Upper.case', '../x.y', '.x', ''].map(volumeOfGroup)).toEqual(Array(5).fill('default'));
});

test('names of folders that are not the engine’s are no volume names', () => {
  expect(['.snapshots', '..', 'lost+found', 'Market', ''].filter(isVolumeName)).toEqual([]);
});
