import { describe, expect, test } from 'vitest';
import { Random, WeightedChoice } from './random.ts';

describe('the random numbers of the simulator', () => {
  test('are independent streams when their labels differ', () => {
    const draw = (...labels: (string | number)[]) => new Random(42, ...labels).uint32();
    const draws = [draw(), draw('a'), draw('b'), draw('a', 1), draw('a', 2), draw('a1')];
    expect(new Set(draws).size).toBe(draws.length);
  });

  test('are the recorded ones, so that no change alters every simulated session unnoticed', () => {
    const random = new Random(42, 'recorded');
    expect([random.uint32(), random.uint32(), random.uint32()]).toMatchInlineSnapshot(`
      [
        2194528943,
        750523288,
        4060721811,
      ]
    `);
  });

  test('are uniform from 0 to below 1, and normal with mean 0 and variance 1', () => {
    const random = new Random(7);
    const uniform = Array.from({ length: 100_000 }, () => random.uniform());
    const normal = Array.from({ length: 100_000 }, () => random.normal());
    expect(Math.min(...uniform.slice(0, 10_000))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform.slice(0, 10_000))).toBeLessThan(1);
    expect(mean(uniform)).toBeCloseTo(0.5, 2);
    expect(mean(normal)).toBeCloseTo(0, 1);
    expect(mean(normal.map((value) => value * value))).toBeCloseTo(1, 1);
  });

  test('choose indices in proportion to their weights, the lightest included', () => {
    const choice = new WeightedChoice([70, 29, 1]);
    const random = new Random(1);
    const counts = [0, 0, 0];
    for (let draw = 0; draw < 100_000; draw++) counts[choice.draw(random)]!++;
    expect(counts[0]! / 100_000).toBeCloseTo(0.7, 1);
    expect(counts[1]! / 100_000).toBeCloseTo(0.29, 1);
    expect(counts[2]! / 100_000).toBeCloseTo(0.01, 2);
    expect(counts[2]).toBeGreaterThan(0);
  });

  test('give every index a place in the table even where its share is nearly nothing', () => {
    const weights = [1, ...Array.from({ length: 15 }, () => 1e-9)];
    const choice = new WeightedChoice(weights, 4);
    const random = new Random(1);
    const drawn = new Set(Array.from({ length: 1000 }, () => choice.draw(random)));
    expect(drawn.size).toBe(16);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
