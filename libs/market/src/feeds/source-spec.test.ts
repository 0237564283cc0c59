import { expect, test } from 'vitest';
import { openSource, parseSourceSpec } from './source-spec.ts';

test('sources are sim, taq:PATH and lean:PATH; a path may hold colons', () => {
  expect(parseSourceSpec('sim')).toEqual({ kind: 'sim' });
  expect(parseSourceSpec('taq:/data/taq')).toEqual({ kind: 'taq', path: '/data/taq' });
  expect(parseSourceSpec('lean:C:/Data')).toEqual({ kind: 'lean', path: 'C:/Data' });
});

test('anything else is refused by name, with the valid forms', () => {
  for (const text of ['itch:/tmp/x', 'taq', 'taq:', 'sim:5', '', 'TAQ:/x']) {
    expect(() => parseSourceSpec(text), text).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(`"${text}"`),
        mend: expect.stringContaining('lean:PATH'),
      }),
    );
  }
});

test('a date that is none, and a simulated day without trading, are refused', async () => {
  await expect(openSource({ kind: 'sim' }, { date: '2013-02-30' })).rejects.toThrow('"2013-02-30" is no date');
  await expect(openSource({ kind: 'sim' }, { date: '2025-10-05' })).rejects.toThrow('2025-10-05 is no trading day');
});

test('the identity of the simulator names all that its ticks depend on', async () => {
  const identity = async (seed: number, date: string) =>
    (await openSource({ kind: 'sim' }, { date, sim: { seed } })).identity;
  expect(await identity(1, '2025-10-07')).toBe(await identity(1, '2025-10-07'));
  expect(
    new Set([await identity(1, '2025-10-07'), await identity(2, '2025-10-07'), await identity(1, '2025-10-08')]).size,
  ).toBe(3);
});
