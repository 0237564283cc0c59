import type { LogEngine } from '@tickfold/log-engine';
import { BrokerConfigs } from './configs/broker-configs.ts';
import { GroupConfigs } from './configs/group-configs.ts';
import type { KeptSettings } from './configs/kept-settings.ts';
import type { GroupCoordinator } from './groups/coordinator.ts';
import type { OffsetExpiry } from './groups/offset-expiry.ts';
import { accountRoutes } from './handlers/accounts.ts';
import { aclRoutes } from './handlers/acls.ts';
import { alterConfigsRoutes } from './handlers/alter-configs.ts';
import { apiVersionsRoute } from './handlers/api-versions.ts';
import { describeClusterRoute } from './handlers/cluster.ts';
import { describeConfigsRoute } from './handlers/configs.ts';
import { fetchRoute } from './handlers/fetch.ts';
import { groupAdminRoutes, membershipRoutes } from './handlers/groups.ts';
import { listOffsetsRoute } from './handlers/list-offsets.ts';
import { describeLogDirsRoute } from './handlers/log-dirs.ts';
import { metadataRoute } from './handlers/metadata.ts';
import { offsetDeleteRoute } from './handlers/offset-delete.ts';
import { offsetCommitRoute, offsetFetchRoute } from './handlers/offsets.ts';
import { createPartitionsRoute, deleteRecordsRoute, offsetForLeaderEpochRoute } from './handlers/partitions.ts';
import { produceRoute } from './handlers/produce.ts';
import { createTopicsRoute, deleteTopicsRoute } from './handlers/topics.ts';
import { transactionAdminRoutes } from './handlers/transaction-admin.ts';
import { transactionRoutes } from './handlers/transactions.ts';
import { volumeRoutes } from './handlers/volumes.ts';
import type { BrokerLog, GroupSettings, Limits } from './options.ts';
import type { Route } from './route.ts';
import { AnnouncedWrites } from './transactions/announced-writes.ts';

interface Parts {
  engine: LogEngine;
  kept: KeptSettings;
  coordinator: GroupCoordinator;
  expiry: OffsetExpiry;
  log: BrokerLog;
  limits: Limits;
  groupSettings: GroupSettings;
  autoCreateTopics: boolean;
  defaultPartitionCount: number;
}

/** Everything that is served, by API key. */
export function routesOf(parts: Parts): ReadonlyMap<number, Route> {
  const { engine, kept, coordinator, expiry, log, limits, groupSettings } = parts;
  const announced = new AnnouncedWrites(engine);
  const brokerConfigs = new BrokerConfigs(parts, kept.current.broker);
  const groupConfigs = new GroupConfigs(kept.current.groups);
  const routes = [
    produceRoute(engine, announced),
    fetchRoute(engine, limits),
    listOffsetsRoute(engine),
    metadataRoute(engine, parts),
    offsetCommitRoute({ engine, coordinator, expiry, ...groupSettings }),
    offsetFetchRoute(engine),
    ...membershipRoutes(coordinator),
    ...groupAdminRoutes(engine, coordinator),
    createTopicsRoute(engine, { ...limits, ...parts }),
    deleteTopicsRoute(engine),
    deleteRecordsRoute(engine),
    offsetForLeaderEpochRoute(engine),
    ...transactionRoutes({ engine, coordinator, expiry, announced, ...groupSettings }),
    ...aclRoutes(),
    describeConfigsRoute(engine, brokerConfigs, groupConfigs),
    ...alterConfigsRoutes({ engine, kept, brokerConfigs, groupConfigs }),
    describeLogDirsRoute(engine),
    createPartitionsRoute(engine, limits),
    offsetDeleteRoute(engine, coordinator),
    ...accountRoutes(kept),
    describeClusterRoute(),
    ...transactionAdminRoutes(engine, announced),
    ...volumeRoutes(engine, log),
  ];
  return new Map([...routes, apiVersionsRoute(routes)].map((each) => [each.api.key, each]));
}
