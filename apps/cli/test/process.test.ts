import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VolumeDiff } from '@tickfold/evaluation';
import {
  headers,
  modelVolume,
  type Promotion,
  type PromotionCommand,
  promotionCommandSchema,
  promotionSchema,
  topics,
} from '@tickfold/market';
import { findModel } from '@tickfold/models';
import { connect, type StreamClient } from '@tickfold/stream';
import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { runModelInto } from '../../../libs/evaluation/test/model-volumes.ts';
import { enrichedTicks, produceTicks } from '../../../libs/evaluation/test/session.ts';
import { contents, endAll, ended, start, tickfold, tickfoldJson, type Where } from './tickfold.ts';

/** Some start a process ten times over, on machines with other work to do. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let dataDir: string;
let broker: EmbeddedBroker;
let client: StreamClient;
/** Where the broker runs. */
let running: Where;
/** How many the market holds, as people read it. */
let ticks: string;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'tickfold-cli-'));
  broker = await startEmbeddedBroker({ dataDir });
  client = await connect({ brokers: [broker.address], clientId: 'test' });
  ticks = (await produceTicks(client, enrichedTicks())).toLocaleString('en-US');
  for (const name of ['reversion-1', 'reversion-2'])
    await runModelInto(client, findModel(name).create(), modelVolume(name));
  await client.admin.ensureTopics([{ name: 'there.topic', partitionCount: 1 }]);
  running = { dataDir, broker: broker.address };
  for (const name of ['market@open', 'there@x']) await tickfoldJson(running, ['snapshot', 'create', name]);
});

afterEach(endAll);

afterAll(async () => {
  await client.close();
  await broker.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('while Tickfold runs', () => {
  test('a snapshot is replayed into a volume that equals what the version made live, and goes again', async () => {
    const created = await tickfold(running, 'snapshot', 'create', 'market@noon');
    expect(created).toMatchObject({ status: 0, stderr: '' });
    expect(created.stdout).toContain(`Froze market@noon: ${ticks} records, 0 files, `);
    expect(created.stdout).toContain(
      'Next: npx tickfold model replay reversion-2 --from market@noon --into try-1 --set',
    );
    expect(await tickfoldJson(running, ['snapshot', 'list'])).toMatchObject([
      { name: 'market@open' },
      { name: 'there@x' },
      { name: 'market@noon' },
    ]);

    const replayed = await tickfold(
      running,
      'model',
      'replay',
      'reversion-1',
      '--from',
      'market@noon',
      '--into',
      'aa-1',
    );
    expect(replayed.status).toBe(0);
    expect(replayed.stdout).toContain(
      `Replayed ${ticks} ticks of market@noon through reversion-1 (defaults) into aa-1: `,
    );
    const [begun, done, ...more] = replayed.stderr.split('\n');
    expect([begun, ...more]).toEqual([`replaying market@noon: ${ticks} ticks to read`, '']);
    expect(done).toMatch(/^replaying market@noon: read [\d,]+ ticks in [\d.]+ s$/);
    expect(await tickfoldJson(running, ['volume', 'list'])).toContainEqual(
      expect.objectContaining({ name: 'aa-1', writer: 'reversion-1', input: 'market@noon', stopped: null }),
    );

    const same = await tickfold(running, 'volume', 'diff', 'model-reversion-1', 'aa-1');
    expect(same.status).toBe(0);
    expect(same.stdout).toContain('EQUAL');

    for (const command of ['volume delete aa-1', 'snapshot delete market@noon'])
      expect(await tickfold(running, ...command.split(' '))).toMatchObject({ status: 0, stderr: '' });
    expect(contents(dataDir)).not.toContain('aa-1');
    expect(contents(dataDir)).not.toContain('market@noon');
  });

  test('a replay with another parameter differs: status 1, and the parts sum up to the difference', async () => {
    await tickfoldJson(running, [
      ...['model', 'replay', 'reversion-2', '--from', 'market@open', '--into', 'try-1', '--set', 'entrySignal=1.8'],
    ]);
    const diff = await tickfoldJson<VolumeDiff>(running, ['volume', 'diff', 'model-reversion-2', 'try-1'], 1);
    expect(diff).toMatchObject({ equal: false, b: { model: 'reversion-2', parametersVersion: 'entrySignal=1.8' } });
    expect(diff.profit?.parts.reduce((sum, { amountE4 }) => sum + amountE4, 0)).toBe(diff.profit?.differenceE4);
    const inWords = await tickfold(running, 'volume', 'diff', 'model-reversion-2', 'try-1');
    expect(inWords).toMatchObject({ status: 1, stderr: '' });
    expect((await tickfold(running, 'snapshot', 'list')).stdout).toContain('--into try-2');
    expect(inWords.stdout).toContain('DIFFERENT');
    expect(inWords.stdout).toContain('New York');
    expect(inWords.stdout).toMatch(/\n\nNext: npx tickfold model promote reversion-2\n$/);
    await tickfoldJson(running, ['volume', 'delete', 'try-1']);
  });

  test.each([
    ['an unknown snapshot', 'model replay reversion-1 --from market@no --into x-1', 1, /market@no.*market@open/s],
    ['a snapshot that holds no ticks', 'model replay reversion-1 --from there@x --into x-1', 1, /there@x/],
    ['an unknown model', 'model replay reversion-9 --from market@open --into x-1', 2, /reversion-9.*reversion-1/s],
    [
      'a parameter out of range',
      'model replay reversion-1 --from market@open --into x-1 --set entrySignal=99',
      2,
      /entrySignal=99.*from/s,
    ],
    ['a target that exists', 'model replay reversion-1 --from market@open --into there', 1, /there/],
    ['a target that runs live', 'model replay reversion-1 --from market@open --into model-new', 2, /model-new/],
    ['a target that is a file name', 'model replay reversion-1 --from market@open --into ../x', 2, /\.\.\/x/],
    ['a snapshot that exists', 'snapshot create market@open', 1, /market@open/],
    ['a snapshot of no volume', 'snapshot create nothing@open', 1, /nothing/],
    ['a snapshot to delete that is not there', 'snapshot delete market@no', 1, /market@no.*market@open/s],
    [
      'a volume to compare that is not there',
      'volume diff model-reversion-1 nothing',
      1,
      /nothing.*model-reversion-1/s,
    ],
    ['volumes of different kinds', 'volume diff market model-reversion-1', 1, /market/],
    ['a volume to delete that is not there', 'volume delete nothing', 1, /nothing/],
    ['the volume of a version that runs', 'volume delete model-reversion-1', 1, /model-reversion-1/],
    ['a promotion while nobody decides', 'model promote reversion-2', 1, /promote reversion-2/],
  ])('%s is refused clearly, and leaves everything as it was', async (_what, command, status, message) => {
    const before = contents(dataDir);
    const result = await tickfold(running, ...command.split(' '));
    expect(result).toMatchObject({ status, stdout: '' });
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(/^tickfold: .+\nMend: .+\n$/);
    expect(contents(dataDir)).toEqual(before);
  });

  test('Ctrl-C in a replay leaves nothing behind', async () => {
    const before = contents(dataDir);
    const child = start(running, 'model', 'replay', 'reversion-2', '--from', 'market@open', '--into', 'x-1');
    const ending = ended(child);
    await once(child.stderr, 'data');
    child.kill('SIGINT');
    const { status, stdout, stderr } = await ending;
    // One that was faster than the signal is there whole.
    if (status === 0) {
      expect(stdout).toContain(' into x-1: ');
      expect(contents(dataDir)).toEqual([...before, 'x-1'].sort());
      return;
    }
    expect([status, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(/tickfold: .*(stopped|interrupted).*\nMend: .+\n$/);
    expect(contents(dataDir)).toEqual(before);
  });

  test('a broker of another data folder is told apart, and nothing happens there', async () => {
    const other = await startEmbeddedBroker();
    try {
      const result = await tickfold(
        { dataDir: other.dataDir, broker: broker.address },
        'snapshot',
        'create',
        'market@x',
      );
      expect(result.status).toBe(1);
      expect(result.stderr).toContain(other.dataDir);
      expect(result.stderr).toContain('Mend: Set DATA_DIR');
      expect(contents(dataDir)).not.toContain('market@x');
    } finally {
      await other.stop();
    }
  });

  test('promotions are asked for under the name of the user, and read back from the audit stream', async () => {
    const initial: Promotion = {
      ...{ commandId: null, action: 'initial', champion: 'reversion-1', previous: null, by: 'decisions' },
      ...{ askedAtMs: 1, atMs: 1, fromInput: [0, 0, 0, 0], reason: null },
    };
    await writePromotion(initial);
    const answering = answerCommands(2);

    const promoted = await tickfold(running, 'model', 'promote', 'reversion-2');
    expect(promoted).toMatchObject({ status: 0, stderr: '' });
    expect(promoted.stdout).toMatch(/^reversion-2 is champion after reversion-1, by .+ \(command line\), .+ UTC\.\n/);
    expect((await tickfold(running, 'model', 'list')).stdout).toContain('reversion-2 (champion)');

    const refused = await tickfold(running, 'model', 'rollback');
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^tickfold: not today\nMend: .+\n$/);
    await answering;

    const audit = await tickfoldJson<Promotion[]>(running, ['model', 'audit']);
    expect(audit.map(({ action }) => action)).toEqual(['initial', 'promote', 'refused']);
  });
});

test('who reads only the beginning of a result gets it without an error', async () => {
  const child = start(running, 'model', 'list');
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await once(child, 'close');
  expect([child.exitCode, stderr]).toEqual([0, '']);
});

async function writePromotion(promotion: Promotion): Promise<void> {
  await client.admin.ensureTopics([{ name: topics.promotions, partitionCount: 1 }]);
  const producer = client.producer();
  await producer.send({
    ...{ topic: topics.promotions, partition: 0, key: null, timestampMs: promotion.atMs },
    value: promotionSchema.encode(promotion),
    headers: { [headers.schema]: promotionSchema.id },
  });
  await producer.close();
}

/** Stands in for apps/decisions: grants promotions, refuses rollbacks. */
async function answerCommands(enough: number): Promise<void> {
  await client.admin.ensureTopics([{ name: topics.promotionCommands, partitionCount: 1 }]);
  let count = 0;
  for await (const chunk of client.consumer({ assignments: [{ topic: topics.promotionCommands, partition: 0 }] })) {
    for (const record of chunk.records()) {
      await writePromotion(answerTo(promotionCommandSchema.decode(record.value!, record.header(headers.schema))));
      count++;
    }
    if (count >= enough) return;
  }
}

function answerTo({ id, action, model, by, atMs }: PromotionCommand): Promotion {
  const common = { commandId: id, by, askedAtMs: atMs, atMs };
  if (action === 'rollback')
    return {
      ...{ ...common, action: 'refused', champion: 'reversion-2', previous: null },
      ...{ fromInput: [], reason: 'not today' },
    };
  return { ...common, action, champion: model!, previous: 'reversion-1', fromInput: [1, 2, 3, 4], reason: null };
}
