// Every API that is served, by key: the only list there is. What the broker advertises is computed from it.

import { produceApi } from './00-produce.ts'
import { fetchApi } from './01-fetch.ts'
import { listOffsetsApi } from './02-list-offsets.ts'
import { metadataApi } from './03-metadata.ts'
import { offsetCommitApi } from './08-offset-commit.ts'
import { offsetFetchApi } from './09-offset-fetch.ts'
import { findCoordinatorApi } from './10-find-coordinator.ts'
import { joinGroupApi } from './11-join-group.ts'
import { heartbeatApi } from './12-heartbeat.ts'
import { leaveGroupApi } from './13-leave-group.ts'
import { syncGroupApi } from './14-sync-group.ts'
import { describeGroupsApi } from './15-describe-groups.ts'
import { listGroupsApi } from './16-list-groups.ts'
import { saslHandshakeApi } from './17-sasl-handshake.ts'
import { apiVersionsApi } from './18-api-versions.ts'
import { createTopicsApi } from './19-create-topics.ts'
import { deleteTopicsApi } from './20-delete-topics.ts'
import { deleteRecordsApi } from './21-delete-records.ts'
import { initProducerIdApi } from './22-init-producer-id.ts'
import { offsetForLeaderEpochApi } from './23-offset-for-leader-epoch.ts'
import { addPartitionsToTxnApi } from './24-add-partitions-to-txn.ts'
import { addOffsetsToTxnApi } from './25-add-offsets-to-txn.ts'
import { endTxnApi } from './26-end-txn.ts'
import { writeTxnMarkersApi } from './27-write-txn-markers.ts'
import { txnOffsetCommitApi } from './28-txn-offset-commit.ts'
import { describeAclsApi } from './29-describe-acls.ts'
import { createAclsApi } from './30-create-acls.ts'
import { deleteAclsApi } from './31-delete-acls.ts'
import { describeConfigsApi } from './32-describe-configs.ts'
import { alterConfigsApi } from './33-alter-configs.ts'
import { alterReplicaLogDirsApi } from './34-alter-replica-log-dirs.ts'
import { describeLogDirsApi } from './35-describe-log-dirs.ts'
import { saslAuthenticateApi } from './36-sasl-authenticate.ts'
import { createPartitionsApi } from './37-create-partitions.ts'
import { createDelegationTokenApi } from './38-create-delegation-token.ts'
import { renewDelegationTokenApi } from './39-renew-delegation-token.ts'
import { expireDelegationTokenApi } from './40-expire-delegation-token.ts'
import { describeDelegationTokenApi } from './41-describe-delegation-token.ts'
import { deleteGroupsApi } from './42-delete-groups.ts'
import { electLeadersApi } from './43-elect-leaders.ts'
import { incrementalAlterConfigsApi } from './44-incremental-alter-configs.ts'
import { alterPartitionReassignmentsApi } from './45-alter-partition-reassignments.ts'
import { listPartitionReassignmentsApi } from './46-list-partition-reassignments.ts'
import { offsetDeleteApi } from './47-offset-delete.ts'
import { describeClientQuotasApi } from './48-describe-client-quotas.ts'
import { alterClientQuotasApi } from './49-alter-client-quotas.ts'
import { describeUserScramCredentialsApi } from './50-describe-user-scram-credentials.ts'
import { alterUserScramCredentialsApi } from './51-alter-user-scram-credentials.ts'
import { describeQuorumApi } from './55-describe-quorum.ts'
import { updateFeaturesApi } from './57-update-features.ts'
import { describeClusterApi } from './60-describe-cluster.ts'
import { describeProducersApi } from './61-describe-producers.ts'
import { unregisterBrokerApi } from './64-unregister-broker.ts'
import { describeTransactionsApi } from './65-describe-transactions.ts'
import { listTransactionsApi } from './66-list-transactions.ts'
import { consumerGroupHeartbeatApi } from './68-consumer-group-heartbeat.ts'
import { consumerGroupDescribeApi } from './69-consumer-group-describe.ts'
import { listConfigResourcesApi } from './74-list-config-resources.ts'
import { describeTopicPartitionsApi } from './75-describe-topic-partitions.ts'
import { shareGroupHeartbeatApi } from './76-share-group-heartbeat.ts'
import { shareGroupDescribeApi } from './77-share-group-describe.ts'
import { shareFetchApi } from './78-share-fetch.ts'
import { shareAcknowledgeApi } from './79-share-acknowledge.ts'
import { describeShareGroupOffsetsApi } from './90-describe-share-group-offsets.ts'
import { alterShareGroupOffsetsApi } from './91-alter-share-group-offsets.ts'
import { deleteShareGroupOffsetsApi } from './92-delete-share-group-offsets.ts'
import type { Api } from './api.ts'

const list: readonly Api[] = [
  produceApi,
  fetchApi,
  listOffsetsApi,
  metadataApi,
  offsetCommitApi,
  offsetFetchApi,
  findCoordinatorApi,
  joinGroupApi,
  heartbeatApi,
  leaveGroupApi,
  syncGroupApi,
  describeGroupsApi,
  listGroupsApi,
  saslHandshakeApi,
  apiVersionsApi(() => list),
  createTopicsApi,
  deleteTopicsApi,
  deleteRecordsApi,
  initProducerIdApi,
  offsetForLeaderEpochApi,
  addPartitionsToTxnApi,
  addOffsetsToTxnApi,
  endTxnApi,
  writeTxnMarkersApi,
  txnOffsetCommitApi,
  describeAclsApi,
  createAclsApi,
  deleteAclsApi,
  describeConfigsApi,
  alterConfigsApi,
  alterReplicaLogDirsApi,
  describeLogDirsApi,
  saslAuthenticateApi,
  createPartitionsApi,
  createDelegationTokenApi,
  renewDelegationTokenApi,
  expireDelegationTokenApi,
  describeDelegationTokenApi,
  deleteGroupsApi,
  electLeadersApi,
  incrementalAlterConfigsApi,
  alterPartitionReassignmentsApi,
  listPartitionReassignmentsApi,
  offsetDeleteApi,
  describeClientQuotasApi,
  alterClientQuotasApi,
  describeUserScramCredentialsApi,
  alterUserScramCredentialsApi,
  describeQuorumApi,
  updateFeaturesApi,
  describeClusterApi,
  describeProducersApi,
  unregisterBrokerApi,
  describeTransactionsApi,
  listTransactionsApi,
  consumerGroupHeartbeatApi,
  consumerGroupDescribeApi,
  listConfigResourcesApi,
  describeTopicPartitionsApi,
  shareGroupHeartbeatApi,
  shareGroupDescribeApi,
  shareFetchApi,
  shareAcknowledgeApi,
  describeShareGroupOffsetsApi,
  alterShareGroupOffsetsApi,
  deleteShareGroupOffsetsApi,
]

export const apis: ReadonlyMap<number, Api> = new Map(list.map((api) => [api.table.key, api]))
