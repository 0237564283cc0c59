import { batchOf } from '../batches.ts';
import { fail, recordsSent, timed } from './log-steps.ts';
import type { Sent } from './partition-model.ts';
import { isRefusal } from './refusal.ts';
import type { Rig } from './rig.ts';
import { mustHold, Violation } from './violation.ts';

const FIRST_PRODUCER_ID = 7000n;
const RECORDS = 3;
/** So many batches of a producer may come again. */
const BATCHES_KNOWN = 5;

interface Order {
  topic: string;
  partition: number;
  producer: number;
  wait: boolean;
}

/** The next batch of an idempotent producer. */
export async function appendSequenced(rig: Rig, order: Order): Promise<void> {
  const found = rig.find(order.topic, order.partition);
  const producerId = FIRST_PRODUCER_ID + BigInt(order.producer);
  const before = found?.partition.batchesOf(producerId);
  if (found === undefined || before === undefined) return;
  const { topic, log, partition } = found;
  const serial = rig.model.nextSerial();
  const sent = partition.send(serial, recordsSent(serial, RECORDS), { producerId, sequence: sequenceAfter(before) });
  const appending = log.append(bytesOf(sent), 'synced').then(
    ({ baseOffset, isDuplicate }) => {
      mustHold(!isDuplicate, 'diverged', () => `${partition.name}: a new batch of ${producerId} counts as a duplicate`);
      partition.acknowledge(sent, 'synced', Number(baseOffset));
    },
    (error: unknown) => fail(rig, topic, [sent], error),
  );
  rig.underWay.add(appending);
  if (order.wait) await appending.catch(() => undefined);
}

/** A batch that is there, or on its way, comes again: it is stored once, and answered with its first offset. */
export async function sendAgain(rig: Rig, order: Order): Promise<void> {
  const found = rig.find(order.topic, order.partition);
  const producerId = FIRST_PRODUCER_ID + BigInt(order.producer);
  const latest = found?.partition.batchesOf(producerId)?.slice(-BATCHES_KNOWN);
  if (found === undefined || latest === undefined || latest.length === 0) return;
  const { topic, log, partition } = found;
  const original = rig.random.pick(latest);
  const sending = log.append(bytesOf(original), 'synced').then(
    ({ baseOffset, isDuplicate }) => {
      const isSame = isDuplicate && Number(baseOffset) === (original.baseOffset ?? Number(baseOffset));
      mustHold(isSame, 'doubled', () => `${partition.name}: ${original.records[0]?.value} again, at ${baseOffset}`);
    },
    (error: unknown) => fail(rig, topic, [], error),
  );
  rig.underWay.add(sending);
  if (order.wait) await sending.catch(() => undefined);
}

/** A batch that comes before the one in front of it is refused. */
export async function leaveGap(rig: Rig, order: Order): Promise<void> {
  const found = rig.find(order.topic, order.partition);
  const producerId = FIRST_PRODUCER_ID + BigInt(order.producer);
  const before = found?.partition.batchesOf(producerId);
  if (found === undefined || before === undefined || before.length === 0) return;
  const serial = rig.model.nextSerial();
  const sequence = sequenceAfter(before) + 1;
  const bytes = bytesOf({ serial, records: recordsSent(serial, RECORDS), sequenced: { producerId, sequence } });
  const answer = await found.log.append(bytes, 'synced').then(
    () => 'done',
    (error: unknown) => error,
  );
  if (isRefusal(answer, 'out-of-order-sequence') || rig.isExplained(answer)) return;
  throw new Violation('unexplained', `a gap in the sequence of ${producerId} was answered with ${answer}`, answer);
}

function sequenceAfter(batches: readonly Sent[]): number {
  const last = batches.at(-1);
  return last?.sequenced === undefined ? 0 : last.sequenced.sequence + last.records.length;
}

function bytesOf({ serial, records, sequenced }: Pick<Sent, 'serial' | 'records' | 'sequenced'>): Buffer {
  const { producerId, sequence } = sequenced!;
  return batchOf(timed(serial, records), { producerId, producerEpoch: 0, baseSequence: sequence });
}
