import {
  headers,
  MARKET_PARTITIONS,
  modelTopics,
  type Promotion,
  type PromotionCommand,
  promotionCommandSchema,
  topics,
} from '@tickfold/market';
import type { RecordView, StreamClient } from '@tickfold/stream';

/** A decision as these tests tell it: who decided about which enriched tick. */
export interface Told {
  model: string;
  input: number;
}

/** Writes what versions decided in one partition, as their processors do. */
export async function decide(
  client: StreamClient,
  partition: number,
  inputsOf: Readonly<Record<string, readonly number[]>>,
): Promise<void> {
  const topicOf = (model: string) => modelTopics(model).decisions;
  await client.admin.ensureTopics(
    Object.keys(inputsOf).map((model) => ({ name: topicOf(model), partitionCount: MARKET_PARTITIONS })),
  );
  const producer = client.producer();
  for (const [model, inputs] of Object.entries(inputsOf)) {
    for (const input of inputs) {
      await producer.send({
        ...{ topic: topicOf(model), partition, key: `key ${input}`, timestampMs: 1_000 + input },
        value: Buffer.from(`${model} on ${input}`),
        headers: { [headers.source]: `sim:${input}`, [headers.schema]: 'decision/1', [headers.input]: String(input) },
      });
    }
  }
  await producer.close();
}

const IN_AN_AGE_MS = 4_000_000_000_000;

export type Wish = Partial<PromotionCommand> & Pick<PromotionCommand, 'id'>;

/** Writes commands without waiting for an answer. */
export async function command(client: StreamClient, ...wishes: Wish[]): Promise<void> {
  await client.admin.ensureTopics([{ name: topics.promotionCommands, partitionCount: 1 }]);
  const producer = client.producer();
  for (const wish of wishes) {
    const whole: PromotionCommand = {
      ...{ action: 'promote', model: null, by: 'test', atMs: 1, expiresAtMs: IN_AN_AGE_MS },
      ...wish,
    };
    await producer.send({
      ...{ topic: topics.promotionCommands, partition: 0, key: null, timestampMs: whole.atMs },
      value: promotionCommandSchema.encode(whole),
      headers: { [headers.schema]: promotionCommandSchema.id },
    });
  }
  await producer.close();
}

/** Empty where there is no such topic yet. */
export async function readAll(client: StreamClient, topic: string, partition: number): Promise<RecordView[]> {
  if (!(await client.admin.topics()).some(({ name }) => name === topic)) return [];
  const { logStart, high } = (await client.admin.watermarks(topic))[partition]!;
  const records: RecordView[] = [];
  if (logStart === high) return records;
  for await (const chunk of client.consumer({ assignments: [{ topic, partition }] })) {
    records.push(...chunk.records());
    if (chunk.nextOffset >= high) break;
  }
  return records;
}

/** `live.decisions`, by partition. The value is believed, not the header `model`: the two are compared here. */
export async function liveDecisions(client: StreamClient): Promise<Told[][]> {
  return byPartition(async (partition) =>
    (await readAll(client, topics.liveDecisions, partition)).map((record) => {
      const [model, input] = Buffer.from(record.value!).toString().split(' on ') as [string, string];
      if (record.header(headers.model) !== model || record.header(headers.input) !== input)
        throw new Error(`the headers of "${model} on ${input}" tell something else`);
      return { model, input: Number(input) };
    }),
  );
}

/** What `live.decisions` has to hold: a function of the audit stream and the versions' own decisions. */
export async function decisionsByAudit(client: StreamClient, audit: readonly Promotion[]): Promise<Told[][]> {
  const reigns = audit.filter(({ action }) => action !== 'refused');
  return byPartition(async (partition) => {
    const told: Told[] = [];
    for (const [index, { champion, fromInput }] of reigns.entries()) {
      const from = fromInput[partition]!;
      const until = reigns[index + 1]?.fromInput[partition] ?? Number.POSITIVE_INFINITY;
      for (const record of await readAll(client, modelTopics(champion).decisions, partition)) {
        const input = Number(record.header(headers.input));
        if (input >= from && input < until) told.push({ model: champion, input });
      }
    }
    return told;
  });
}

function byPartition<T>(read: (partition: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: MARKET_PARTITIONS }, (_, partition) => read(partition)));
}
