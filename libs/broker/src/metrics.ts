import type { LogEngine } from '@tickfold/log-engine';
import { Gauge, type Registry } from 'prom-client';
import { findPartition } from './engine-errors.ts';

/** Gauges under the names of kafka_exporter, so that its dashboards fit. They are read when they are asked for. */
export function registerMetrics(registry: Registry, engine: LogEngine, connectionCount: () => number): void {
  const registers = [registry];

  new Gauge({
    name: 'kafka_brokers',
    help: 'Brokers of the cluster',
    registers,
    collect() {
      this.set(1);
    },
  });
  new Gauge({
    name: 'tickfold_broker_connections',
    help: 'Open client connections',
    registers,
    collect() {
      this.set(connectionCount());
    },
  });
  new Gauge({
    name: 'kafka_topic_partitions',
    help: 'Partitions of a topic',
    labelNames: ['topic'],
    registers,
    collect() {
      this.reset();
      for (const { name, partitionCount } of engine.topics()) this.set({ topic: name }, partitionCount);
    },
  });
  new Gauge({
    name: 'kafka_topic_partition_current_offset',
    help: 'First offset that readers may not see yet',
    labelNames: ['topic', 'partition'],
    registers,
    collect() {
      this.reset();
      for (const log of partitions(engine)) this.set(labelsOf(log), Number(log.highWatermark));
    },
  });
  new Gauge({
    name: 'kafka_topic_partition_oldest_offset',
    help: 'First offset that is kept',
    labelNames: ['topic', 'partition'],
    registers,
    collect() {
      this.reset();
      for (const log of partitions(engine)) this.set(labelsOf(log), Number(log.logStartOffset));
    },
  });
  new Gauge({
    name: 'kafka_consumergroup_current_offset',
    help: 'Committed offset of a group',
    labelNames: ['consumergroup', 'topic', 'partition'],
    registers,
    collect() {
      this.reset();
      for (const { labels, offset } of committed(engine)) this.set(labels, Number(offset));
    },
  });
  new Gauge({
    name: 'kafka_consumergroup_lag',
    help: 'Visible records after the committed offset of a group',
    labelNames: ['consumergroup', 'topic', 'partition'],
    registers,
    collect() {
      this.reset();
      for (const { labels, lag } of committed(engine)) this.set(labels, lag);
    },
  });
  new Gauge({
    name: 'kafka_consumergroup_lag_sum',
    help: 'Lag of a group over all partitions of a topic',
    labelNames: ['consumergroup', 'topic'],
    registers,
    collect() {
      this.reset();
      for (const { labels, lag } of committed(engine)) {
        this.inc({ consumergroup: labels.consumergroup, topic: labels.topic }, lag);
      }
    },
  });
}

function* partitions(engine: LogEngine) {
  for (const { name, partitionCount } of engine.topics()) {
    for (let index = 0; index < partitionCount; index++) {
      const log = engine.partition(name, index);
      if (log !== undefined) yield log;
    }
  }
}

function labelsOf(log: { topic: string; partition: number }): { topic: string; partition: number } {
  return { topic: log.topic, partition: log.partition };
}

function* committed(engine: LogEngine) {
  for (const consumergroup of engine.groupsWithOffsets()) {
    for (const { topic, partition, offset } of engine.committedOffsets(consumergroup)) {
      const { log } = findPartition(engine, topic, partition);
      if (log === undefined) continue;
      // A group may stand before the log's start (its records are gone) or, reset by hand, past its end.
      const lag = Math.max(0, Number(log.highWatermark - offset));
      yield { labels: { consumergroup, topic, partition }, offset, lag };
    }
  }
}
