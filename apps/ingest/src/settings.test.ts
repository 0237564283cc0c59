import { UsageError } from '@tickfold/app-runtime';
import { expect, test } from 'vitest';
import { DEFAULT_SPEED, readSettings } from './settings.ts';

test('without variables the simulator runs at its demo speed', () => {
  expect(readSettings({})).toMatchObject({ source: { kind: 'sim' }, speed: DEFAULT_SPEED, lagMax: 300_000 });
  expect(readSettings({}).options).not.toHaveProperty('date');
});

test('source, date, speed and seed are taken from the environment', () => {
  const env = { SOURCE: 'taq:/data', SOURCE_DATE: '2013-08-06', SPEED: '0', SIM_SEED: '7', MAX_LAG: '10' };
  expect(readSettings(env)).toMatchObject({
    source: { kind: 'taq', path: '/data' },
    options: { date: '2013-08-06', sim: { seed: 7 } },
    speed: 0,
    lagMax: 10,
  });
});

test('a value that is none is refused by its variable and value', () => {
  for (const [name, value] of Object.entries({
    SOURCE: 'itch:/x',
    SOURCE_DATE: '2013-02-30',
    SPEED: '-1',
    SIM_SEED: '1.5',
    SIM_SYMBOLS: '0',
    SIM_RATE: 'fast',
    MAX_LAG: '0',
  })) {
    const read = () => readSettings({ [name]: value });
    expect(read, name).toThrow(UsageError);
    expect(read, name).toThrow(name);
    expect(read, name).toThrow(value);
  }
});
