import { UsageError, UserError } from '@tickfold/app-runtime';
import type { VolumeDiff } from '@tickfold/evaluation';
import type { SnapshotManifest } from '@tickfold/log-engine';
import type { Promotion, Run } from '@tickfold/market';
import { findModel } from '@tickfold/models';
import { describe, expect, test } from 'vitest';
import { audit } from '../src/commands/model-audit.ts';
import { listModels } from '../src/commands/model-list.ts';
import { promote, rollback } from '../src/commands/model-promote.ts';
import { readAssignments, replayVersion } from '../src/commands/model-replay.ts';
import { createSnapshot } from '../src/commands/snapshot-create.ts';
import { deleteSnapshot } from '../src/commands/snapshot-delete.ts';
import { exportSnapshot } from '../src/commands/snapshot-export.ts';
import { importSnapshot } from '../src/commands/snapshot-import.ts';
import { listSnapshots } from '../src/commands/snapshot-list.ts';
import { restoreSnapshot } from '../src/commands/snapshot-restore.ts';
import { verifySnapshot } from '../src/commands/snapshot-verify.ts';
import { deleteVolume } from '../src/commands/volume-delete.ts';
import { diffOf } from '../src/commands/volume-diff.ts';
import { listVolumes } from '../src/commands/volume-list.ts';
import type { VolumeEntry } from '../src/system.ts';
import { scriptedSystem } from './scripted-system.ts';

const snapshot: SnapshotManifest = {
  formatVersion: 1,
  name: 'market@open',
  volume: 'market',
  volumes: ['market'],
  id: '00ff',
  createdAtMs: Date.UTC(2026, 2, 2, 15),
  topics: [
    {
      name: 'market.enriched',
      partitions: [
        { start: '0', end: '1000' },
        { start: '5', end: '239' },
      ],
    },
    { name: 'market.source', partitions: [{ start: '0', end: '1' }] },
  ],
  files: [{ volume: 'market', path: 'tables/history.duckdb', sizeBytes: 1 }],
  sizeBytes: 4_200_000,
  pins: {
    source: { identity: 'sim/42', description: 'simulated session of 2025-10-07' },
    enrichment: { code: 'features-1', history: 'history of seed 42' },
    models: {
      'reversion-1': { code: 'reversion-1', parameters: JSON.stringify(findModel('reversion-1').create().parameters) },
    },
    tickfoldVersion: '0.1.0',
    nodeVersion: '20.20.0',
  },
};

describe('snapshot create', () => {
  test('tells what it froze and pinned, and how to go on', async () => {
    const system = scriptedSystem({ createSnapshot: async (name) => ({ ...snapshot, name }) });
    const { text, json, exitStatus, next } = await createSnapshot({ name: 'market@open' }, system);
    expect(text).toContain('Froze market@open: 1,235 records, 1 file, 4.2 MB.');
    expect(text).toMatch(/market\.enriched +1,234\n/);
    expect(text).toMatch(/source +simulated session of 2025-10-07\n/);
    expect(text).toMatch(/reversion-1 +defaults\n/);
    expect(next).toBe('model replay reversion-2 --from market@open --into try-7 --set entrySignal=1.8');
    expect([json, exitStatus]).toEqual([snapshot, 0]);
  });

  test('of a volume that no model reads does not propose to replay it', async () => {
    const system = scriptedSystem({ createSnapshot: async (name) => ({ ...snapshot, name, volume: 'live' }) });
    expect((await createSnapshot({ name: 'live@open' }, system)).next).toBe('snapshot list');
  });

  test('freezes other volumes with it where it is told to', async () => {
    const asked: unknown[] = [];
    const system = scriptedSystem({
      createSnapshot: async (...what) => {
        asked.push(what);
        return snapshot;
      },
    });
    await createSnapshot({ name: 'market@open' }, system);
    await createSnapshot({ name: 'market@open', with: ['live'] }, system);
    expect(asked).toEqual([
      ['market@open', []],
      ['market@open', ['live']],
    ]);
  });

  test('pins that nobody has written down are called unknown', async () => {
    const system = scriptedSystem({ createSnapshot: async () => ({ ...snapshot, pins: {} }) });
    expect((await createSnapshot({ name: 'market@open' }, system)).text).toMatch(/enrichment +unknown\n/);
  });

  test.each(['open', '@open', 'market@', 'Market@open', 'market@a/b', 'market@..', '../x@y', 'market@a@b', ''])(
    '%j is no name: nothing is asked of the system',
    async (name) => {
      await expect(createSnapshot({ name }, scriptedSystem())).rejects.toThrow(UsageError);
      await expect(deleteSnapshot({ name }, scriptedSystem())).rejects.toThrow(UsageError);
    },
  );
});

describe('snapshot verify', () => {
  const whole = { manifest: snapshot, segments: 3, batches: 1318, files: 1, unhashedFiles: 0, damages: [] };

  test('says what was read of a whole one', async () => {
    const outcome = await verifySnapshot(
      { name: 'market@open' },
      scriptedSystem({ verifySnapshot: async () => whole }),
    );
    expect(outcome.text).toBe('market@open is whole: 3 segments, 1,318 batches, 1 file.');
    expect([outcome.json, outcome.exitStatus]).toEqual([whole, 0]);
  });

  test('says which files have no hash yet', async () => {
    const found = { ...whole, unhashedFiles: 1 };
    const { text } = await verifySnapshot(
      { name: 'market@open' },
      scriptedSystem({ verifySnapshot: async () => found }),
    );
    expect(text).toContain('1 file has no hash yet');
  });

  test('names each damage, with status 1', async () => {
    const found = { ...whole, damages: [{ path: 'market/tables/a', detail: 'is missing' }] };
    const outcome = await verifySnapshot(
      { name: 'market@open' },
      scriptedSystem({ verifySnapshot: async () => found }),
    );
    expect(outcome.text).toMatch(/is damaged: 1 place.*market\/tables\/a +is missing/s);
    expect(outcome.exitStatus).toBe(1);
  });
});

describe('snapshot export, import, restore', () => {
  test('export says where the file is and how large', async () => {
    const archive = { path: '/tmp/open.tar', sizeBytes: 4_300_000, manifest: snapshot };
    const system = scriptedSystem({ exportSnapshot: async () => archive });
    const outcome = await exportSnapshot({ name: 'market@open', file: 'open.tar' }, system);
    expect([outcome.text, outcome.json]).toEqual(['Exported market@open to /tmp/open.tar: 4.3 MB.', archive]);
    expect(outcome.next).toBe('snapshot import open.tar');
  });

  test('import says what came in, under the name that was asked for', async () => {
    const system = scriptedSystem({ importSnapshot: async (_, as) => ({ ...snapshot, name: as ?? snapshot.name }) });
    const outcome = await importSnapshot({ file: 'open.tar', as: 'market@monday' }, system);
    expect(outcome.text).toBe('Imported market@monday: 1,235 records, 1 file, 4.2 MB.');
    await expect(importSnapshot({ file: 'open.tar', as: 'monday' }, system)).rejects.toThrow(/no snapshot's name/);
  });

  test('restore names the volume', async () => {
    const system = scriptedSystem({ restoreSnapshot: async (_, volume) => volume ?? 'market' });
    expect(await restoreSnapshot({ name: 'market@open' }, system)).toMatchObject({
      text: 'Restored volume market from market@open. The snapshot stays.',
      json: { restored: 'market', from: 'market@open' },
    });
    const outcome = await restoreSnapshot({ name: 'market@open', volume: 'live' }, system);
    expect(outcome.json).toEqual({ restored: 'live', from: 'market@open' });
  });
});

describe('snapshot list', () => {
  test('has a line for each, and replays the newest of the market next', async () => {
    const later = { ...snapshot, name: 'market@noon' };
    const other = { ...snapshot, name: 'live@x', volume: 'live', pins: {} };
    const outcome = await listSnapshots(scriptedSystem({ snapshots: async () => [snapshot, later, other] }));
    expect(outcome.text.split('\n').map((line) => line.split(' ')[0])).toEqual([
      ...['Snapshot', 'market@open', 'market@noon', 'live@x'],
    ]);
    expect(outcome.text).toMatch(
      /market@open +2026-03-0[12] \d\d:00:00 \S+ +1,235 +4\.2 MB +features-1 +reversion-1\n/,
    );
    expect(outcome.json).toEqual([snapshot, later, other]);
    expect(outcome.next).toContain('--from market@noon');
  });

  test('says so where there is none, and makes one next', async () => {
    const outcome = await listSnapshots(scriptedSystem({ snapshots: async () => [] }));
    expect(outcome).toMatchObject({ text: 'There is no snapshot yet.', json: [], next: 'snapshot create market@open' });
  });
});

describe('model replay', () => {
  const options = { version: 'reversion-2', from: 'market@open', into: 'try-1', set: [] as string[] };
  const result = {
    ...{ volume: 'try-1', snapshot: { name: 'market@open', id: '00ff' } },
    ...{ ticks: 250_000, decisions: 12_345, fills: 1, deadLetters: 0 },
  };

  test('runs the version with what was set over its defaults, and compares with the live one next', async () => {
    let entrySignal: number | undefined;
    const system = scriptedSystem({
      replay: async ({ model }) => {
        entrySignal = model.parameters.entrySignal;
        return result;
      },
    });
    const outcome = await replayVersion({ ...options, set: ['entrySignal=1.8'] }, system);
    expect(entrySignal).toBe(1.8);
    expect(outcome.text).toBe(
      'Replayed 250,000 ticks of market@open through reversion-2 (entrySignal=1.8) into try-1: 12,345 decisions, 1 fill.',
    );
    expect(outcome.json).toMatchObject({ ...result, model: 'reversion-2', parametersVersion: 'entrySignal=1.8' });
    expect(outcome.next).toBe('volume diff model-reversion-2 try-1');
  });

  test('ticks that the model could not take are counted, not hidden', async () => {
    const system = scriptedSystem({ replay: async () => ({ ...result, deadLetters: 2 }) });
    expect((await replayVersion(options, system)).text).toContain('1 fill, 2 dead letters.');
  });

  test.each([
    [{ version: 'reversion-9' }, 'There is no model reversion-9.'],
    [{ from: 'open' }, '"open" is no snapshot\'s name.'],
    [{ set: ['entrySignal=99'] }, 'reversion-2: entrySignal=99 is outside of'],
    [{ set: ['nothing=1'] }, 'reversion-2 has no parameter nothing.'],
    [{ set: ['constructor=1'] }, 'reversion-2 has no parameter constructor.'],
    [{ set: ['__proto__=1'] }, 'reversion-2 has no parameter __proto__.'],
    [{ set: ['entrySignal'] }, '--set entrySignal is not of the form PARAM=VALUE.'],
    [{ set: ['=1'] }, '--set =1 is not of the form PARAM=VALUE.'],
    [{ set: ['entrySignal='] }, '--set entrySignal=: "" is no number.'],
    [{ set: ['entrySignal=two'] }, '--set entrySignal=two: "two" is no number.'],
    [{ set: ['entrySignal=Infinity'] }, '"Infinity" is no number.'],
    [{ set: ['entrySignal=1,8'] }, '"1,8" is no number.'],
    [{ set: ['entrySignal=1', 'entrySignal=2'] }, 'entrySignal is set twice.'],
  ])('%o is refused before anything is read', async (wrong, message) => {
    await expect(replayVersion({ ...options, ...wrong }, scriptedSystem())).rejects.toThrow(message);
  });

  test('several parameters are set together', () => {
    expect(readAssignments(['a=1', 'b=-2.5e1'])).toEqual({ a: 1, b: -25 });
  });
});

const initial: Promotion = {
  ...{ commandId: null, action: 'initial', champion: 'reversion-1', previous: null },
  ...{ by: 'decisions', askedAtMs: 0, atMs: 0, fromInput: [0, 0], reason: null },
};
const promoted: Promotion = {
  ...{ commandId: '1', action: 'promote', champion: 'reversion-2', previous: 'reversion-1' },
  ...{ by: 'ana (command line)', askedAtMs: 0, atMs: 0, fromInput: [12_345, 8], reason: null },
};
const refused: Promotion = { ...promoted, action: 'refused', fromInput: [], reason: 'reversion-9 does not run' };

describe('model promote and rollback', () => {
  test('say who is champion from which offsets on', async () => {
    const outcome = await promote({ version: 'reversion-2' }, scriptedSystem({ promote: async () => promoted }));
    expect(outcome.text).toContain('reversion-2 is champion after reversion-1, by ana (command line), ');
    expect(outcome.text).toContain('12,345 · 8');
    expect(outcome).toMatchObject({ json: promoted, next: 'model rollback' });
  });

  test.each([
    ['promote', () => promote({ version: 'reversion-9' }, scriptedSystem({ promote: async () => refused }))],
    ['rollback', () => rollback(scriptedSystem({ rollback: async () => refused }))],
  ])('a refused %s is an error with the reason', async (_verb, ask) => {
    await expect(ask()).rejects.toThrow(UserError);
    await expect(ask()).rejects.toThrow('reversion-9 does not run');
  });
});

test('the audit is told oldest first, with offsets or the reason of a refusal', async () => {
  const { text, json } = await audit(scriptedSystem({ promotions: async () => [initial, promoted, refused] }));
  const [, ...lines] = text.split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/promote +reversion-2 +reversion-1 +ana \(command line\) +12,345 · 8$/);
  expect(lines[2]).toMatch(/refused .*reversion-9 does not run$/);
  expect(json).toEqual([initial, promoted, refused]);
});

describe('model list', () => {
  test('tells the champion from its challengers, and every parameter with default, range and unit', async () => {
    const { text, json, next } = await listModels(scriptedSystem({ champion: async () => 'reversion-1' }));
    expect(text).toMatch(/^reversion-1 \(champion\): /m);
    expect(text).toMatch(/^reversion-2 \(challenger\): /m);
    expect(text).toMatch(/^leastSizePercentile +20 +0 to 100 +A trade smaller [^:]+Unit:\s+percentile\.$/m);
    expect(json).toMatchObject([
      { name: 'reversion-1', role: 'champion' },
      { name: 'reversion-2', role: 'challenger' },
    ]);
    expect(next).toBe('model promote reversion-2');
  });

  test('has no roles while nobody is champion', async () => {
    const { text, json } = await listModels(scriptedSystem({ champion: async () => null }));
    expect(text).toMatch(/^reversion-1: /m);
    expect(json).toMatchObject([{ role: null }, { role: null }]);
  });
});

const run: Run = {
  ...{ app: 'replay', code: 'reversion-2', input: 'market@open', inputId: '00ff', history: null },
  parameters: JSON.stringify(findModel('reversion-2').create({ entrySignal: 1.8 }).parameters),
  ...{ tickfoldVersion: '0.1.0', nodeVersion: '20.20.0', startedAtMs: 0 },
};
const volume = (name: string, more: Partial<VolumeEntry> = {}): VolumeEntry => ({
  ...{ name, sizeBytes: 1_500, topics: 5, stopped: null, run: null },
  ...more,
});

describe('volume list', () => {
  test('says which code wrote a volume, with what, from what; and compares a replay with its live version next', async () => {
    const volumes = [
      volume('market', { run: { ...run, app: 'enrichment', code: 'features-1', input: 'market.ticks' } }),
      volume('model-reversion-1'),
      volume('model-reversion-2', { stopped: 'disk is full' }),
      volume('try-1', { run }),
    ];
    const { text, json, next } = await listVolumes(scriptedSystem({ volumes: async () => volumes }));
    expect(text).toMatch(/^market +1\.5 kB +5 +features-1 +market\.ticks +ok$/m);
    expect(text).toMatch(/^model-reversion-2 .*stopped: disk is full$/m);
    expect(text).toMatch(/^try-1 .*reversion-2 +entrySignal=1\.8 +market@open +ok$/m);
    expect(json).toMatchObject([{ parametersVersion: null }, {}, {}, { writer: 'reversion-2', input: 'market@open' }]);
    expect(next).toBe('volume diff model-reversion-2 try-1');
  });

  test('compares the live versions next where nothing was replayed yet', async () => {
    const volumes = [volume('market'), volume('model-a'), volume('model-b')];
    expect((await listVolumes(scriptedSystem({ volumes: async () => volumes }))).next).toBe(
      'volume diff model-a model-b',
    );
  });
});

describe('volume delete', () => {
  test.each(['market', 'live', 'default'])('%s is kept: the system is not even asked', async (name) => {
    await expect(deleteVolume({ name }, scriptedSystem())).rejects.toThrow(
      `The volume ${name} is not deleted by itself`,
    );
  });

  test.each([
    ['try-1', false],
    ['model-reversion-2', true],
    ['model-gone', false],
  ])('of %s it is said whether a version of this build may own it: %s', async (name, expected) => {
    const asked: unknown[] = [];
    await deleteVolume({ name }, scriptedSystem({ deleteVolume: async (...call) => void asked.push(...call) }));
    expect(asked).toEqual([name, expected]);
  });
});

describe('volume diff', () => {
  const side = { parametersVersion: 'defaults', input: null };
  const diff: VolumeDiff = {
    a: { ...side, ref: 'a', volume: 'a', model: 'reversion-1' },
    b: { ...side, ref: 'b', volume: 'b', model: 'reversion-2' },
    ...{ equal: true, range: [], topics: [], kinds: [], first: null, firstAction: null, profit: null },
  };

  test('has status 0 for equal and 1 for different, and the diff itself for programs', async () => {
    const of = (equal: boolean) =>
      diffOf(
        { a: 'a', b: 'b' },
        scriptedSystem({ diff: async () => ({ diff: { ...diff, equal }, description: 'in words\n' }) }),
      );
    expect(await of(true)).toMatchObject({ exitStatus: 0, text: 'in words', json: diff, next: 'volume list' });
    expect(await of(false)).toMatchObject({ exitStatus: 1, json: { equal: false } });
  });

  test('promotes the version behind B next, where models differ', async () => {
    const profit = { parts: [] } as unknown as VolumeDiff['profit'];
    const system = scriptedSystem({ diff: async () => ({ diff: { ...diff, equal: false, profit }, description: '' }) });
    expect((await diffOf({ a: 'a', b: 'b' }, system)).next).toBe('model promote reversion-2');
  });
});
