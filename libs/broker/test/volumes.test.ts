import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { apis, encodeRequest, errorCodes } from '@tickfold/kafka-protocol';
import { ENGINE_ERRORS, listSnapshots, openLogEngine, stageVolume } from '@tickfold/log-engine';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startBroker } from '../src/index.ts';
import { RawClient, startTestBroker, type TestBroker } from './harness.ts';

let running: TestBroker;
let client: RawClient;
const clients: RawClient[] = [];

beforeEach(async () => {
  running = await startTestBroker();
  client = await connected();
  await makeTopic('market.ticks');
});

afterEach(async () => {
  for (const each of clients.splice(0)) each.close();
  await running.close();
});

async function connected(port = running.port): Promise<RawClient> {
  const made = await RawClient.connect(port);
  clients.push(made);
  return made;
}

async function makeTopic(name: string): Promise<void> {
  const topic = { name, partitionCount: 2, replicationFactor: 1, assignments: [], configs: [] };
  await client.call(apis.createTopics, 4, { topics: [topic], timeoutMs: 1000, validateOnly: false });
}

const createSnapshot = (name: string, pins = '{}') => client.call(apis.createSnapshot, 0, { name, pins, others: [] });
const volumeNames = async () => (await client.call(apis.describeVolumes, 0, {})).volumes.map(({ name }) => name).sort();

/** Leaves a finished volume beside the broker's; resolves to its staging id. */
async function stageWithTopic(volume: string): Promise<string> {
  const staged = await stageVolume(running.dataDir, volume);
  await staged.engine.createTopic(`${volume}.decisions`, { partitionCount: 1 });
  await staged.finish();
  return staged.id;
}

/** What a client is told of a refusal. */
const refusal = (code: keyof typeof ENGINE_ERRORS) => ({
  errorCode: errorCodes.INVALID_REQUEST,
  reason: code,
  mend: ENGINE_ERRORS[code].mend,
});

test('volumes are described with their topics and what they take', async () => {
  await makeTopic('other.topic');
  const { volumes, ...outcome } = await client.call(apis.describeVolumes, 0, {});
  expect(outcome).toEqual({ errorCode: 0, reason: null, errorMessage: null, mend: null });
  expect(volumes.map(({ name, topicCount, stopped }) => ({ name, topicCount, stopped }))).toEqual([
    { name: 'market', topicCount: 1, stopped: null },
    { name: 'other', topicCount: 1, stopped: null },
  ]);
  expect(volumes[0]!.sizeBytes).toBeGreaterThan(0n);
});

describe('CreateSnapshot', () => {
  test('answers with the manifest, pins included, and the snapshot is there', async () => {
    const pins = { source: 'ü'.repeat(40_000), models: [{ code: 'reversion-1' }] };
    const { manifest, ...outcome } = await createSnapshot('market@open', JSON.stringify(pins));
    expect(outcome).toEqual({ errorCode: 0, reason: null, errorMessage: null, mend: null });
    const [listed] = await listSnapshots(running.dataDir);
    expect(JSON.parse(manifest!)).toEqual(listed);
    expect(listed).toMatchObject({ name: 'market@open', volume: 'market', pins });
  });

  test.each([
    ['a name that exists', 'market@open', 'snapshot-exists'],
    ['a volume that does not exist', 'nothing@open', 'unknown-volume'],
    ['a name that leads elsewhere', 'market@../../x', 'illegal-name'],
  ] as const)("of %s is refused in the engine's words", async (_what, name, code) => {
    await createSnapshot('market@open');
    const { errorMessage, ...answer } = await createSnapshot(name);
    expect(answer).toEqual({ ...refusal(code), manifest: null, mend: expect.any(String) });
    expect(errorMessage).not.toBe('');
    expect(await listSnapshots(running.dataDir)).toHaveLength(1);
  });

  test.each(['', 'null', '[]', '"text"', '{'])('with the pins %j is refused, and none is taken', async (pins) => {
    expect(await createSnapshot('market@open', pins)).toMatchObject({ reason: 'illegal-pins', manifest: null });
    expect(await listSnapshots(running.dataDir)).toEqual([]);
  });
});

describe('AdoptVolume', () => {
  test('takes a staged volume in: its topics are served', async () => {
    const stagingId = await stageWithTopic('replayed');
    expect(await client.call(apis.adoptVolume, 0, { stagingId })).toMatchObject({ errorCode: 0 });
    expect(await volumeNames()).toEqual(['market', 'replayed']);
  });

  test.each(['', 'nothing', '../market', '/etc'])('of %j, which was not staged, is refused', async (stagingId) => {
    expect(await client.call(apis.adoptVolume, 0, { stagingId })).toMatchObject({ reason: 'unknown-staging' });
    expect(await volumeNames()).toEqual(['market']);
  });
});

describe('DeleteVolume', () => {
  test('removes a volume with its topics', async () => {
    expect(await client.call(apis.deleteVolume, 0, { name: 'market' })).toMatchObject({ errorCode: 0 });
    expect(await volumeNames()).toEqual([]);
  });

  test.each(['nothing', '', '..', '.snapshots'])('of %j, which is no volume, is refused', async (name) => {
    await createSnapshot('market@open');
    expect(await client.call(apis.deleteVolume, 0, { name })).toMatchObject(refusal('unknown-volume'));
    expect(await listSnapshots(running.dataDir)).toHaveLength(1);
  });
});

test('what fails for a reason that is not the engine’s is told to the operator, the client is sent to the log', async () => {
  const folder = join(running.dataDir, 'inner');
  await mkdir(folder);
  const engine = await openLogEngine({ dataDir: folder });
  engine.deleteVolume = () => Promise.reject(new TypeError('a bug'));
  const lines: string[] = [];
  const note = (fields: object, message: string) => void lines.push(`${message} ${String(Object.values(fields))}`);
  const broker = await startBroker({
    engine,
    listeners: [{ name: 'host', host: '127.0.0.1', port: 0, advertisedHost: '127.0.0.1' }],
    log: { debug: note, info: note, warn: note, error: note },
  });
  try {
    const through = await connected(broker.addresses[0]!.port);
    const answer = await through.call(apis.deleteVolume, 0, { name: 'market' });
    expect(answer).toEqual({
      errorCode: errorCodes.UNKNOWN_SERVER_ERROR,
      reason: null,
      errorMessage: 'the broker failed at it for a reason of its own',
      mend: "See the broker's log.",
    });
    expect(lines.at(-1)).toContain('a bug');
    expect((await through.call(apis.describeVolumes, 0, {})).errorCode).toBe(0);
  } finally {
    await broker.close();
  }
});

test('real requests with random bytes changed end their connection at most', async () => {
  const frames = [
    encodeRequest(
      apis.createSnapshot,
      0,
      { correlationId: 1, clientId: 'raw' },
      { name: 'no@x', pins: '{"a":1}', others: [] },
    ),
    encodeRequest(apis.adoptVolume, 0, { correlationId: 1, clientId: 'raw' }, { stagingId: 'nothing' }),
    encodeRequest(apis.describeVolumes, 0, { correlationId: 1, clientId: 'raw' }, {}),
  ].map((chunks) => Buffer.concat(chunks));
  const damaged = fc.constantFrom(...frames).chain((frame) =>
    fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }).map((edits) => {
      const copy = Buffer.from(frame);
      for (const [at, byte] of edits) copy[at] = byte;
      return copy;
    }),
  );
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      const hostile = await connected();
      hostile.socket.end(bytes);
      await hostile.closed;
    }),
    { numRuns: 100 },
  );
  expect(running.lines.filter(({ level }) => level === 'error')).toEqual([]);
  expect(await volumeNames()).toEqual(['market']);
});
