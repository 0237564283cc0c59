import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LONGEST_WAIT_MS, Pacer } from './pacer.ts';

/** Runs ticks through a pacer whose clock moves only by waiting, and by what `work` says. */
function clockTimes(speed: number, eventTimesMs: number[], work: (index: number) => number = () => 0): number[] {
  let nowMs = 1_000;
  const pacer = new Pacer(speed, () => nowMs);
  return eventTimesMs.map((eventTimeMs, index) => {
    nowMs += pacer.waitMs(eventTimeMs);
    const sentAtMs = nowMs - 1_000;
    nowMs += work(index);
    return sentAtMs;
  });
}

test('at speed 1 ticks keep their distances, at speed 60 they come sixty times faster', () => {
  expect(clockTimes(1, [0, 10, 10, 500, 2_000])).toEqual([0, 10, 10, 500, 2_000]);
  expect(clockTimes(60, [0, 6_000, 60_000])).toEqual([0, 100, 1_000]);
});

test('at speed 0 nothing waits', () => {
  expect(clockTimes(0, [0, 3_600_000, 86_400_000])).toEqual([0, 0, 0]);
});

test('a quiet stretch is cut to the longest wait, and distances hold after it', () => {
  expect(clockTimes(1, [0, 3_600_000, 3_600_100])).toEqual([0, LONGEST_WAIT_MS, LONGEST_WAIT_MS + 100]);
  expect(clockTimes(60, [0, 43_200_000])).toEqual([0, LONGEST_WAIT_MS]);
});

const ROUNDING_MS = 1e-3;

test('no wait is longer than the longest, whatever the times', () => {
  const times = fc.array(fc.integer({ min: 0, max: 10 ** 9 }), { maxLength: 50 });
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 1_000 }), (eventTimesMs, speed) => {
      const clock = clockTimes(speed, eventTimesMs);
      for (let index = 1; index < clock.length; index++) {
        expect(clock[index]! - clock[index - 1]!).toBeGreaterThanOrEqual(0);
        expect(clock[index]! - clock[index - 1]!).toBeLessThanOrEqual(LONGEST_WAIT_MS + ROUNDING_MS);
      }
    }),
  );
});

test('small delays are made up for, lost time is not rushed after', () => {
  expect(clockTimes(1, [0, 100, 200], (index) => (index === 0 ? 150 : 0))).toEqual([0, 150, 200]);
  const afterSuspension = clockTimes(1, [0, 100, 200, 300], (index) => (index === 0 ? 60_000 : 0));
  expect(afterSuspension).toEqual([0, 60_000, 60_100, 60_200]);
});

test('event time that goes back begins anew', () => {
  expect(clockTimes(1, [5_000, 6_000, 0, 500])).toEqual([0, 1_000, 1_000, 1_500]);
});
