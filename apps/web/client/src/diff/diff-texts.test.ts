import type { VolumeDiff } from '@tickfold/evaluation/browser';
import { describe, expect, test } from 'vitest';
import { exactAmounts } from '../format.ts';
import { asOfText, rangeText, sumE4, verdictText } from './diff-texts.ts';

const diff = (changes: Partial<VolumeDiff>): VolumeDiff =>
  ({ range: [], topics: [], kinds: [], ...changes }) as VolumeDiff;

test('a sum of amounts is exact where adding them one by one would round', () => {
  const large = 2 ** 52 - 1;
  expect(sumE4([large, large, large, -large, -large, 1])).toBe(2 ** 52);
  expect(sumE4([])).toBe(0);
  expect(sumE4([-402_125, 201_075, -24_000])).toBe(-225_050);
});

test('amounts that are added up are written without rounding, with as many decimals as one of them needs', () => {
  const inCents = exactAmounts([12_300, -500]);
  expect([inCents.gain(12_300), inCents.gain(-500), inCents.money(12_300)]).toEqual(['+1.23', '−0.05', '1.23']);
  const finer = exactAmounts([12_300, 50]);
  expect([finer.gain(12_300), finer.gain(50), finer.gain(0)]).toEqual(['+1.2300', '+0.0050', '0.0000']);
});

describe('the verdict', () => {
  const topic = (name: string, recordsA: number, recordsB: number, differing: number) => ({
    topic: name,
    recordsA,
    recordsB,
    differing,
  });

  test('says what differs, topic by topic', () => {
    const topics = [topic('decisions', 1_000, 1_001, 12), topic('fills', 10, 10, 0), topic('equity', 5, 5, 2)];
    expect(verdictText(diff({ topics }))).toBe('12 of 1,001 decisions, 2 of 5 equity marks differ.');
  });

  test('tells apart what differs by its label only', () => {
    const kinds: VolumeDiff['kinds'] = [
      { kind: 'action', count: 2 },
      { kind: 'label', count: 1_234 },
    ];
    expect(verdictText(diff({ topics: [topic('decisions', 5_000, 5_000, 1_236)], kinds }))).toBe(
      '1,236 of 5,000 decisions differ. In 1,234 of the decisions it is only the name of the parameters, or a header.',
    );
  });

  test('says how much is the same', () => {
    const topics = [topic('decisions', 1_000, 1_000, 0), topic('fills', 10, 10, 0)];
    expect(verdictText(diff({ equal: true, topics }))).toMatch(/^All 1,010 records are the same/);
  });

  test('does not call nothing the same', () => {
    expect(verdictText(diff({ equal: true, topics: [topic('fills', 0, 0, 0)] }))).toMatch(/Neither holds a record/);
  });
});

test('the range says how far both have come, by partition', () => {
  const range = [
    { partition: 0, toInput: '1200' },
    { partition: 1, toInput: '34' },
  ];
  expect(rangeText(diff({ range }))).toMatch(/first 1,234 enriched ticks.*by partition 0: 1,200, 1: 34/);
  expect(rangeText(diff({ range: [{ partition: 0, toInput: '0' }] }))).toMatch(/^Nothing yet/);
  expect(rangeText(diff({ range: [] }))).toMatch(/^Every record/);
});

test('the minute of the last mark has its zone, and is told by partition where it differs', () => {
  const minuteMs = Date.UTC(2025, 9, 7, 13, 38);
  const same = [0, 1].map((partition) => ({ partition, minuteMs }));
  expect(asOfText(same, 'new-york')).toBe('09:38 EDT in every partition');
  expect(asOfText(same, 'utc')).toBe('13:38 UTC in every partition');
  expect(asOfText([same[0]!, { partition: 1, minuteMs: minuteMs + 60_000 }], 'utc')).toBe(
    '13:38 UTC in partition 0, 13:39 UTC in partition 1',
  );
  expect(asOfText([], 'utc')).toMatch(/no mark/);
});
