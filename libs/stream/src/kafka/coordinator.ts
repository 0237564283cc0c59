import type { ClusterBroker } from './cluster.ts';
import { type ClusterLink, persistently } from './cluster-link.ts';

const GROUP = 0;
const TRANSACTION = 1;

/** A coordinator moves with its broker, and the first group of a cluster waits until there is one. */
const PATIENCE_MS = 30_000;

/** Asks the coordinator of a group, again where it moved meanwhile. What is asked for may be done twice. */
export function askGroup<T>(
  link: ClusterLink,
  groupId: string,
  ask: (coordinator: ClusterBroker) => Promise<T>,
): Promise<T> {
  return askCoordinator(link, { groupId, coordinatorType: GROUP }, ask);
}

/** Asks the coordinator of a transactional id, again where it moved or is still busy with the last transaction. */
export function askTransactions<T>(
  link: ClusterLink,
  transactionalId: string,
  ask: (coordinator: ClusterBroker) => Promise<T>,
): Promise<T> {
  return askCoordinator(link, { groupId: transactionalId, coordinatorType: TRANSACTION }, ask);
}

function askCoordinator<T>(
  link: ClusterLink,
  of: { groupId: string; coordinatorType: number },
  ask: (coordinator: ClusterBroker) => Promise<T>,
): Promise<T> {
  return persistently(link, { patienceMs: PATIENCE_MS }, async (cluster) =>
    ask(await cluster.findGroupCoordinator(of)),
  );
}
