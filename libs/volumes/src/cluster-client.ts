import { connect, type StreamClient, type StreamConfig } from '@tickfold/stream';
import { ClusterVolumes } from './cluster-volumes.ts';

/**
 * Connects to the streams, wherever they are kept. On an Apache Kafka cluster, which keeps no volumes, snapshots and
 * adoptions are done by this process.
 * @param dataDir where snapshots, staged volumes and the volumes' files lie
 * @throws StreamError as `connect`
 */
export async function connectVolumes(
  config: StreamConfig,
  dataDir: string,
  signal?: AbortSignal,
): Promise<StreamClient> {
  const client = await connect(config, signal);
  return config.engine === 'kafka' ? clusterClient(client, dataDir) : client;
}

/** A client of a cluster that takes and adopts volumes, too. */
export function clusterClient(client: StreamClient, dataDir: string): StreamClient {
  return {
    admin: client.admin,
    volumes: new ClusterVolumes(client, dataDir),
    producer: (options) => client.producer(options),
    transactionalProducer: (options) => client.transactionalProducer(options),
    consumer: (options) => client.consumer(options),
    groupConsumer: (options) => client.groupConsumer(options),
    lastRecord: (topic, partition) => client.lastRecord(topic, partition),
    close: () => client.close(),
  };
}
