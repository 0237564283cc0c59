import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect, type StreamClient } from '../src/index.ts';
import { ScriptedBroker } from './scripted-broker.ts';

let broker: ScriptedBroker;
let client: StreamClient;

beforeEach(async () => {
  broker = await ScriptedBroker.start(1);
  client = await connect({ brokers: [broker.address], clientId: 'test' });
});
afterEach(async () => {
  await client.close();
  await broker.stop();
});

test('a loop that does not come back for more has one answer waiting, not the whole topic', async () => {
  const consumer = client.consumer({ assignments: [{ topic: 't', partition: 0, offset: 0n }] });
  const reading = consumer[Symbol.asyncIterator]();
  for (let asked = 1; asked <= 5; asked++) {
    await reading.next();
    // Exchanges with the same broker: time enough for more fetches, if the consumer sent any.
    for (let i = 0; i < 20; i++) {
      await client.admin.topics();
      await nextTurn();
    }
    expect(broker.fetchCount).toBe(asked + 1);
  }
});

test('a consumer can be looped over once', async () => {
  const consumer = client.consumer({ assignments: [{ topic: 't', partition: 0, offset: 0n }] });
  for await (const _ of consumer) break;
  const again = consumer[Symbol.asyncIterator]().next();
  await expect(again).rejects.toMatchObject({ code: 'closed' });
});
