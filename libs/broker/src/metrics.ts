import { createRequire } from 'node:module';
import type { LogEngine, PartitionLog } from '@tickfold/log-engine';
import type { Gauge, Registry } from 'prom-client';
import { findPartition } from './engine-errors.ts';
import type { GroupCoordinator } from './groups/coordinator.ts';
import { NODE_ID } from './options.ts';

// Loaded when metrics are asked for: a broker starts sooner without it.
const load = createRequire(import.meta.url);

interface Sources {
  engine: LogEngine;
  coordinator: GroupCoordinator;
  connectionCount: () => number;
  /** `host:port` as clients are told. */
  address: () => string;
}

/** Gauges under the names of kafka_exporter, so that its dashboards fit. They are read when they are asked for. */
export function registerMetrics(registry: Registry, { engine, coordinator, connectionCount, address }: Sources): void {
  const { Gauge } = load('prom-client') as typeof import('prom-client');
  const registers = [registry];

  const gauge = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        collect(this);
      },
    });
  };
  const perPartition = (name: string, help: string, read: (log: PartitionLog) => number): void =>
    gauge(name, help, ['topic', 'partition'], (each) => {
      for (const log of partitions(engine)) {
        each.set({ topic: log.topic, partition: log.partition }, read(log));
      }
    });

  gauge('kafka_brokers', 'Brokers of the cluster', [], (each) => each.set(1));
  gauge('kafka_broker_info', 'Where the broker is reached', ['id', 'address'], (each) =>
    each.set({ id: NODE_ID, address: address() }, NODE_ID),
  );
  gauge('tickfold_broker_connections', 'Open client connections', [], (each) => each.set(connectionCount()));
  gauge('kafka_topic_partitions', 'Partitions of a topic', ['topic'], (each) => {
    for (const { name, partitionCount } of engine.topics()) each.set({ topic: name }, partitionCount);
  });

  perPartition('kafka_topic_partition_current_offset', 'First offset that readers may not see yet', (log) =>
    Number(log.highWatermark),
  );
  perPartition('kafka_topic_partition_oldest_offset', 'First offset that is kept', (log) => Number(log.logStartOffset));
  perPartition('kafka_topic_partition_leader', 'Broker that leads', () => NODE_ID);
  perPartition('kafka_topic_partition_leader_is_preferred', '1: the preferred broker leads', () => 1);
  perPartition('kafka_topic_partition_replicas', 'Replicas', () => 1);
  perPartition('kafka_topic_partition_in_sync_replica', 'Replicas that have everything', () => 1);
  perPartition('kafka_topic_partition_under_replicated_partition', '1: fewer replicas than there should be', () => 0);

  const perGroupPartition = (name: string, help: string, read: (committed: Committed) => number): void =>
    gauge(name, help, ['consumergroup', 'topic', 'partition'], (each) => {
      for (const committed of committedBy(engine)) each.set(committed.labels, read(committed));
    });
  const perGroupTopic = (name: string, help: string, read: (committed: Committed) => number): void =>
    gauge(name, help, ['consumergroup', 'topic'], (each) => {
      for (const committed of committedBy(engine)) {
        const { consumergroup, topic } = committed.labels;
        each.inc({ consumergroup, topic }, read(committed));
      }
    });

  perGroupPartition('kafka_consumergroup_current_offset', 'Committed offset of a group', ({ offset }) => offset);
  perGroupPartition('kafka_consumergroup_lag', 'Visible records after it', ({ lag }) => lag);
  perGroupTopic('kafka_consumergroup_current_offset_sum', 'Committed offsets of a group', ({ offset }) => offset);
  perGroupTopic('kafka_consumergroup_lag_sum', 'Lag of a group over all partitions of a topic', ({ lag }) => lag);
  gauge('kafka_consumergroup_members', 'Members of a group', ['consumergroup'], (each) => {
    for (const consumergroup of new Set([...coordinator.groupIds(), ...engine.groupsWithOffsets()])) {
      each.set({ consumergroup }, coordinator.view(consumergroup)?.members.length ?? 0);
    }
  });
}

function* partitions(engine: LogEngine): Generator<PartitionLog> {
  for (const { name, partitionCount } of engine.topics()) {
    for (let index = 0; index < partitionCount; index++) {
      const log = engine.partition(name, index);
      if (log !== undefined) yield log;
    }
  }
}

interface Committed {
  labels: { consumergroup: string; topic: string; partition: number };
  offset: number;
  lag: number;
}

function* committedBy(engine: LogEngine): Generator<Committed> {
  for (const consumergroup of engine.groupsWithOffsets()) {
    for (const { topic, partition, offset } of engine.committedOffsets(consumergroup)) {
      const { log } = findPartition(engine, topic, partition);
      if (log === undefined) continue;
      // A group may stand before the log's start (its records are gone) or, reset by hand, past its end.
      const lag = Math.max(0, Number(log.highWatermark - offset));
      yield { labels: { consumergroup, topic, partition }, offset: Number(offset), lag };
    }
  }
}
