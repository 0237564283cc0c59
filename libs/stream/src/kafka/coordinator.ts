import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, ClusterBroker } from './cluster.ts';
import { isConnectionLoss, protocolErrorOf } from './kafka-errors.ts';

/** A group's coordinator moves with its broker, and the first group of a cluster waits until there is one. */
const PATIENCE_MS = 15_000;
const RETRY_MS = 100;
const PASSING = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
  'UNSTABLE_OFFSET_COMMIT',
]);

/** Asks the coordinator of a group, again where it moved meanwhile. What is asked for may be done twice. */
export async function askCoordinator<T>(
  cluster: Cluster,
  groupId: string,
  ask: (coordinator: ClusterBroker) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask(await cluster.findGroupCoordinator({ groupId }));
    } catch (error) {
      const protocolError = protocolErrorOf(error);
      const passes = isConnectionLoss(error) || (protocolError !== undefined && PASSING.has(protocolError));
      if (!passes || performance.now() > deadline) throw error;
      await delay(RETRY_MS);
    }
  }
}
