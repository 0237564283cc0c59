/**
 * How many records pass through the embedded engine, producer, broker and consumer being processes of their own that work
 * at the same time. Every batch's CRC is checked and every record is looked at.
 *
 *   npm run bench -- stream [--records 2000000] [--cpu-prof FOLDER]
 *
 * Prints its figures as one line of JSON.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startBroker } from '@tickfold/broker';
import { openLogEngine, type Visibility } from '@tickfold/log-engine';
import { connect } from '@tickfold/stream';

const TOPIC = 'bench.records';
const PARTITIONS = 4;
const KEYS = 5_000;
const RECORD_BYTES = 100;
const KEY_BYTES = 6;

interface Setting {
  name: string;
  acks: -1 | 1;
  visibility: Visibility;
  batchBytes: number;
}

interface Figure {
  name: string;
  value: number;
  unit: string;
}

const settings: Setting[] = [
  { name: 'acks=1', acks: 1, visibility: 'written', batchBytes: 256 * 1024 },
  { name: 'durable', acks: -1, visibility: 'synced', batchBytes: 256 * 1024 },
  { name: 'acks=1, batches of 10', acks: 1, visibility: 'written', batchBytes: 1_100 },
];

async function serve(dataDir: string, visibility: Visibility): Promise<void> {
  const engine = await openLogEngine({ dataDir, visibility });
  const quiet = () => {};
  const broker = await startBroker({
    engine,
    listeners: [{ name: 'bench', host: '127.0.0.1', port: 0, advertisedHost: '127.0.0.1' }],
    log: { debug: quiet, info: quiet, warn: console.error, error: console.error },
  });
  tellParent(`127.0.0.1:${broker.addresses[0]!.port}`);
  process.once('message', async () => {
    await broker.close();
    process.disconnect();
  });
}

async function produce(address: string, records: number, acks: -1 | 1, batchBytes: number): Promise<void> {
  const client = await connect({ brokers: [address], clientId: 'bench-producer' });
  const keys = Array.from({ length: KEYS }, (_, i) => Buffer.from(`${i}`.padStart(KEY_BYTES, 'K')));
  const value = Buffer.alloc(RECORD_BYTES - KEY_BYTES, 'v');
  const producer = client.producer({ lingerMs: 5, acks, batchBytes });
  const startMs = Date.now();
  for (let i = 0; i < records; i++) {
    const wait = producer.send({ topic: TOPIC, key: keys[i % KEYS]!, value, timestampMs: startMs });
    if (wait !== undefined) await wait;
  }
  await producer.flush();
  tellParent({ startMs, endMs: Date.now() });
  await client.close();
  process.disconnect();
}

async function consume(address: string, records: number): Promise<void> {
  const client = await connect({ brokers: [address], clientId: 'bench-consumer' });
  const assignments = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition }));
  let seen = 0;
  for await (const chunk of client.consumer({ assignments })) {
    for (const record of chunk.records()) if (record.timestampMs > 0) seen++;
    if (seen >= records) break;
  }
  tellParent({ endMs: Date.now() });
  await client.close();
  process.disconnect();
}

async function run(setting: Setting, records: number, profileFolder: string | undefined): Promise<Figure[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tickfold-bench-'));
  const start = (role: string, ...args: (string | number)[]) => startRole(role, args, profileFolder);
  const broker = start('broker', dataDir, setting.visibility);
  try {
    const address = await answerOf<string>(broker);
    const client = await connect({ brokers: [address], clientId: 'bench' });
    await client.admin.ensureTopics([{ name: TOPIC, partitionCount: PARTITIONS }]);
    await client.close();
    const consumer = start('consumer', address, records);
    const producer = start('producer', address, records, setting.acks, setting.batchBytes);
    const [consumed, produced] = await Promise.all([
      answerOf<{ endMs: number }>(consumer),
      answerOf<{ startMs: number; endMs: number }>(producer),
    ]);
    const perSecond = (endMs: number) => Math.round(records / ((endMs - produced.startMs) / 1000));
    return [
      { name: `${setting.name}: produced and acknowledged`, value: perSecond(produced.endMs), unit: 'records/s' },
      { name: `${setting.name}: through, producer to consumer`, value: perSecond(consumed.endMs), unit: 'records/s' },
    ];
  } finally {
    broker.send('stop');
    await new Promise((resolve) => broker.once('exit', resolve));
    await rm(dataDir, { recursive: true, force: true });
  }
}

function startRole(role: string, args: (string | number)[], profileFolder: string | undefined): ChildProcess {
  const execArgv = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}/${role}`];
  return fork(fileURLToPath(import.meta.url), [role, ...args.map(String)], { execArgv });
}

function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as T));
    child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with status ${code}`)));
  });
}

function tellParent(message: object | string): void {
  process.send!(message);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { records: { type: 'string', default: '2000000' }, 'cpu-prof': { type: 'string' } },
  });
  const figures: Figure[] = [];
  for (const setting of settings) figures.push(...(await run(setting, Number(values.records), values['cpu-prof'])));
  console.log(JSON.stringify(figures));
}

const [role, ...args] = process.argv.slice(2);
if (process.send === undefined) await main();
else if (role === 'broker') await serve(args[0]!, args[1] as Visibility);
else if (role === 'producer') await produce(args[0]!, Number(args[1]), Number(args[2]) as -1 | 1, Number(args[3]));
else if (role === 'consumer') await consume(args[0]!, Number(args[1]));
