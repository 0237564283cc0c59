/** A consumer as others write it, as a process of its own: it commits what its parent has confirmed to be processed. */
import { once } from 'node:events';
import { Kafka, logLevel } from 'kafkajs';

export type FromMember =
  /** It was given partitions. Of each generation one member leads. */
  { joined: { isLeader: boolean } } | { processed: { partition: number; first: string; last: string } };
export type ToMember = 'confirmed' | 'leave';

const SESSION_MS = 1_000;
const HEARTBEAT_MS = 150;
const REBALANCE_MS = 4_000;

const [bootstrap = '', topic = '', groupId = ''] = process.argv.slice(2);
const tell = (message: FromMember): void => void process.send!(message);

const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({
  groupId,
  sessionTimeout: SESSION_MS,
  heartbeatInterval: HEARTBEAT_MS,
  rebalanceTimeout: REBALANCE_MS,
  maxWaitTimeInMs: 100,
});
consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => tell({ joined: { isLeader: payload.isLeader } }));
process.on('message', (message: ToMember) => {
  if (message === 'leave') void consumer.disconnect().then(() => process.disconnect());
});

await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch, heartbeat, isRunning, isStale }) => {
    const { partition, messages } = batch;
    if (messages.length === 0 || !isRunning() || isStale()) return;
    tell({ processed: { partition, first: messages[0]!.offset, last: batch.lastOffset() } });
    await untilConfirmed();
    await heartbeat();
    await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(batch.lastOffset()) + 1n) }]);
  },
});

/** Answers come in the order of what was told; one batch is worked on at a time. */
async function untilConfirmed(): Promise<void> {
  for (;;) {
    const [message] = (await once(process, 'message')) as [ToMember];
    if (message === 'confirmed') return;
  }
}
