import { connect } from '@tickfold/stream';
import { PARTITIONS } from './load.ts';

export async function makeTopic(bootstrap: string, name: string): Promise<void> {
  const client = await connect({ brokers: [bootstrap], clientId: 'bench' });
  await client.admin.ensureTopics([{ name, partitionCount: PARTITIONS }]);
  await client.close();
}
