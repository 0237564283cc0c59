import { type EmbeddedBroker, startEmbeddedBroker } from '@tickfold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type StreamClient } from '../../src/index.ts';
import { checkOutput } from './check.ts';
import { names as fixed, PARTITIONS } from './names.ts';

let broker: EmbeddedBroker;
let client: StreamClient;
beforeAll(async () => {
  broker = await startEmbeddedBroker();
  client = await connect({ brokers: [broker.address], clientId: 'test' });
});
afterAll(async () => {
  await client?.close();
  await broker?.stop();
});

type Output = [input: number, value: string];
const RIGHT: Output[] = [
  [0, 'a#1'],
  [1, 'b#1'],
  [2, 'a#2'],
];

test.each<[string, Output[], number, string | undefined]>([
  ['what is right', RIGHT, 3, undefined],
  ['an output that is missing at the end', RIGHT.slice(0, 2), 3, 'lost'],
  ['an output that is missing in between', [RIGHT[0]!, RIGHT[2]!], 3, 'lost'],
  ['an output that is there twice', [RIGHT[0]!, ...RIGHT], 3, 'doubled'],
  ['outputs in another order', [RIGHT[1]!, RIGHT[0]!, RIGHT[2]!], 3, 'lost'],
  ['a wrong count', [RIGHT[0]!, RIGHT[1]!, [2, 'a#3']], 3, 'diverged'],
  ['an input that the source never had', RIGHT, 2, 'lost'],
])('the check of a torture run sees %s', async (title, outputs, total, broken) => {
  const volume = title.replaceAll(' ', '-');
  const names = { ...fixed, input: `${volume}.input`, output: `${volume}.output` };
  for (const name of [names.input, names.output]) {
    await client.admin.ensureTopics([{ name, partitionCount: PARTITIONS }]);
  }
  const producer = client.producer();
  const send = (topic: string, key: string, value: string, headers?: Record<string, string>) =>
    producer.send({ topic, partition: 1, key, value: Buffer.from(value), timestampMs: 1, ...(headers && { headers }) });
  for (const [i, key] of ['a', 'b', 'a'].entries()) send(names.input, key, String(i));
  for (const [input, value] of outputs) send(names.output, 'any', value, { input: String(input) });
  await producer.close();
  const checked = checkOutput(client, names, total);
  if (broken === undefined) expect(await checked).toBe(total);
  else await expect(checked).rejects.toMatchObject({ name: 'Violation', broken });
});
