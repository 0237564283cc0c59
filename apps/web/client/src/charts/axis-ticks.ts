const MINUTE_MS = 60_000;
const TIME_STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1_440].map((minutes) => minutes * MINUTE_MS);

/** Round times between two times, at most so many where a day is step enough. */
export function timeTicks(fromMs: number, toMs: number, most: number): number[] {
  const step = TIME_STEPS_MS.find((stepMs) => (toMs - fromMs) / stepMs < most) ?? TIME_STEPS_MS.at(-1)!;
  return multiples(Math.ceil(fromMs / step), Math.floor(toMs / step), step);
}

/** Round values (steps of 1, 2 or 5 times a power of ten, whole numbers) from below the lowest to above the highest. */
export function valueTicks(low: number, high: number, most: number): number[] {
  if (low === high) return valueTicks(low - 1, high + 1, most);
  const least = (high - low) / Math.max(most - 2, 1);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= least)!);
  return multiples(Math.floor(low / step), Math.ceil(high / step), step);
}

/** Adding nought turns a negative nought into a plain one. */
function multiples(first: number, last: number, step: number): number[] {
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, index) => (first + index) * step + 0);
}
