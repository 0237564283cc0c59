import { expect, test } from 'vitest';
import { assumptions } from './assumptions.ts';
import { findModel, models } from './registry.ts';

test('an unknown model is refused by name, with the known ones', () => {
  expect(() => findModel('reversion-9')).toThrow('There is no model reversion-9.');
  expect(() => findModel('reversion-9')).toThrow(
    expect.objectContaining({ mend: 'Choose one of reversion-1, reversion-2.' }),
  );
});

test.each([...models])('every default of %s lies in its own range', (_, definition) => {
  const defaults = Object.fromEntries(
    Object.entries(definition.parameters).map(([name, spec]) => [name, spec.default]),
  );
  expect(definition.create(defaults).parameters).toEqual(defaults);
});

test('fees that are set are among the assumptions', () => {
  const model = findModel('reversion-1').create({ feePerShareE4: 35, feeMinimumE4: 3_500 });
  expect(assumptions(model)).toContain('Fee: 0.0035 USD a share, at least 0.35 USD an order.');
});
