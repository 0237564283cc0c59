/** Every API that is spoken here, in the order of their keys: those of the Kafka protocol, and Tickfold's own. */
import { createAclsApi, deleteAclsApi, describeAclsApi } from './messages/acls.ts';
import { addOffsetsToTxnApi } from './messages/add-offsets-to-txn.ts';
import { addPartitionsToTxnApi } from './messages/add-partitions-to-txn.ts';
import { alterConfigsApi, incrementalAlterConfigsApi } from './messages/alter-configs.ts';
import { apiVersionsApi } from './messages/api-versions.ts';
import { describeClientQuotasApi } from './messages/client-quotas.ts';
import { createPartitionsApi } from './messages/create-partitions.ts';
import { createTopicsApi } from './messages/create-topics.ts';
import { deleteGroupsApi } from './messages/delete-groups.ts';
import { deleteRecordsApi } from './messages/delete-records.ts';
import { deleteTopicsApi } from './messages/delete-topics.ts';
import { describeClusterApi } from './messages/describe-cluster.ts';
import { describeConfigsApi } from './messages/describe-configs.ts';
import { describeGroupsApi } from './messages/describe-groups.ts';
import { describeLogDirsApi } from './messages/describe-log-dirs.ts';
import { describeProducersApi } from './messages/describe-producers.ts';
import { describeTransactionsApi } from './messages/describe-transactions.ts';
import { endTxnApi } from './messages/end-txn.ts';
import { fetchApi } from './messages/fetch.ts';
import { findCoordinatorApi } from './messages/find-coordinator.ts';
import { heartbeatApi } from './messages/heartbeat.ts';
import { initProducerIdApi } from './messages/init-producer-id.ts';
import { joinGroupApi } from './messages/join-group.ts';
import { leaveGroupApi } from './messages/leave-group.ts';
import { listGroupsApi } from './messages/list-groups.ts';
import { listOffsetsApi } from './messages/list-offsets.ts';
import { listTransactionsApi } from './messages/list-transactions.ts';
import { metadataApi } from './messages/metadata.ts';
import { offsetCommitApi } from './messages/offset-commit.ts';
import { offsetDeleteApi } from './messages/offset-delete.ts';
import { offsetFetchApi } from './messages/offset-fetch.ts';
import { offsetForLeaderEpochApi } from './messages/offset-for-leader-epoch.ts';
import { produceApi } from './messages/produce.ts';
import { alterUserScramCredentialsApi, describeUserScramCredentialsApi } from './messages/scram-credentials.ts';
import { syncGroupApi } from './messages/sync-group.ts';
import { txnOffsetCommitApi } from './messages/txn-offset-commit.ts';
import { adoptVolumeApi, createSnapshotApi, deleteVolumeApi, describeVolumesApi } from './messages/volumes.ts';

export const apis = {
  produce: produceApi,
  fetch: fetchApi,
  listOffsets: listOffsetsApi,
  metadata: metadataApi,
  offsetCommit: offsetCommitApi,
  offsetFetch: offsetFetchApi,
  findCoordinator: findCoordinatorApi,
  joinGroup: joinGroupApi,
  heartbeat: heartbeatApi,
  leaveGroup: leaveGroupApi,
  syncGroup: syncGroupApi,
  describeGroups: describeGroupsApi,
  listGroups: listGroupsApi,
  apiVersions: apiVersionsApi,
  createTopics: createTopicsApi,
  deleteTopics: deleteTopicsApi,
  deleteRecords: deleteRecordsApi,
  initProducerId: initProducerIdApi,
  offsetForLeaderEpoch: offsetForLeaderEpochApi,
  addPartitionsToTxn: addPartitionsToTxnApi,
  addOffsetsToTxn: addOffsetsToTxnApi,
  endTxn: endTxnApi,
  txnOffsetCommit: txnOffsetCommitApi,
  describeAcls: describeAclsApi,
  createAcls: createAclsApi,
  deleteAcls: deleteAclsApi,
  describeConfigs: describeConfigsApi,
  alterConfigs: alterConfigsApi,
  describeLogDirs: describeLogDirsApi,
  createPartitions: createPartitionsApi,
  deleteGroups: deleteGroupsApi,
  incrementalAlterConfigs: incrementalAlterConfigsApi,
  offsetDelete: offsetDeleteApi,
  describeClientQuotas: describeClientQuotasApi,
  describeUserScramCredentials: describeUserScramCredentialsApi,
  alterUserScramCredentials: alterUserScramCredentialsApi,
  describeCluster: describeClusterApi,
  describeProducers: describeProducersApi,
  describeTransactions: describeTransactionsApi,
  listTransactions: listTransactionsApi,
  createSnapshot: createSnapshotApi,
  adoptVolume: adoptVolumeApi,
  deleteVolume: deleteVolumeApi,
  describeVolumes: describeVolumesApi,
} as const;
