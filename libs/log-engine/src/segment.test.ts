import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSegmentFile, SEGMENT_ENDING, segmentBaseName } from './segment.ts';

const segmentName = fc.record({ number: fc.integer({ min: 1, max: 2 ** 32 - 1 }), generation: fc.nat(5000) });

test('a file name gives back the number and the generation that it was made of', () => {
  expect(segmentBaseName({ number: 12, generation: 0 })).toBe('0000000012');
  expect(segmentBaseName({ number: 12, generation: 7 })).toBe('0000000012-007');
  fc.assert(
    fc.property(segmentName, (name) => {
      expect(parseSegmentFile(segmentBaseName(name) + SEGMENT_ENDING)).toEqual(name);
    }),
  );
});

test.each(['0000000012.index', '0000000012.segment.tmp', '12.segment', '0000000012-1.segment', 'x0000000012.segment'])(
  '%s is no segment',
  (fileName) => {
    expect(parseSegmentFile(fileName)).toBeUndefined();
  },
);
