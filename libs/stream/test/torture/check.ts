import type { RecordView, StreamClient } from '@tickfold/stream';
import { type Names, PARTITIONS } from './names.ts';
import { Violation } from './violation.ts';

/** What an input record is, and what must come of it. */
interface Expected {
  offset: bigint;
  value: string;
}

/**
 * Compares the output with what the input says it is: one record for each of the input's, in their order, numbered by key.
 * @returns how many records there are
 * @throws Violation
 */
export async function checkOutput(client: StreamClient, names: Names, total: number): Promise<number> {
  let records = 0;
  const positions = new Set<string>();
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const expected: Expected[] = [];
    const counts = new Map<string, number>();
    for await (const { key, value, offset } of recordsOf(client, names.input, partition)) {
      positions.add(String(value));
      const name = String(key);
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      expected.push({ offset, value: `${name}#${count}` });
    }
    await comparePartition(client, names, partition, expected);
    records += expected.length;
  }
  if (positions.size !== records) throw new Violation('doubled', `${records - positions.size} positions of the source`);
  if (records !== total) throw new Violation('lost', `${total - records} of ${total} records of the source`);
  return records;
}

async function comparePartition(
  client: StreamClient,
  { output }: Names,
  partition: number,
  expected: readonly Expected[],
): Promise<void> {
  let at = 0;
  for await (const record of recordsOf(client, output, partition)) {
    const input = BigInt(record.header('input') ?? -1);
    const where = `'${output}' partition ${partition} offset ${record.offset}, made of input ${input}`;
    const next = expected[at];
    if (next === undefined || input < next.offset) throw new Violation('doubled', where);
    if (input > next.offset) {
      const isLate = expected.some(({ offset }) => offset === input);
      throw new Violation(isLate ? 'lost' : 'diverged', `input ${next.offset} before ${where}`);
    }
    if (String(record.value) !== next.value) {
      throw new Violation('diverged', `${where} is '${record.value}' instead of '${next.value}'`);
    }
    at++;
  }
  if (at < expected.length) throw new Violation('lost', `${expected.length - at} outputs of partition ${partition}`);
}

async function* recordsOf(client: StreamClient, topic: string, partition: number): AsyncGenerator<RecordView> {
  const { logStart, high } = (await client.admin.watermarks(topic))[partition]!;
  if (logStart === high) return;
  for await (const chunk of client.consumer({ assignments: [{ topic, partition }] })) {
    yield* chunk.records();
    if (chunk.nextOffset >= high) return;
  }
}
