// All scenarios by name, in the order in which they run.

import type { Side } from '../side.ts'
import {
  configResourcesScenario,
  electLeadersScenario,
  featuresScenario,
  logDirsScenario,
  quorumScenario,
  reassignmentsScenario,
} from './admin.ts'
import { apiVersionsScenario, describeClusterScenario } from './cluster.ts'
import { alterConfigsScenario, describeConfigsScenario } from './configs.ts'
import { consumerGroupScenario, consumerRefusalsScenario, expressionsScenario } from './consumer-groups.ts'
import { fetchScenario, fetchSessionScenario } from './fetch.ts'
import { groupMembersScenario, joinGroupScenario, staticMembersScenario } from './groups.ts'
import { isolationScenario } from './isolation.ts'
import { describeTopicPartitionsScenario, metadataScenario } from './metadata.ts'
import { listOffsetsScenario, offsetForLeaderEpochScenario } from './offsets.ts'
import { idempotenceScenario, initProducerIdScenario, produceScenario } from './produce.ts'
import { quotasScenario } from './quotas.ts'
import { migrationScenario, rebalanceScenario } from './rebalances.ts'
import { aclsScenario, scramScenario, tokensScenario } from './security.ts'
import { shareMembersScenario, shareOffsetsScenario, shareRecordsScenario } from './share-groups.ts'
import {
  createPartitionsScenario,
  createTopicsScenario,
  deleteRecordsScenario,
  deleteTopicsScenario,
} from './topics.ts'
import { transactionsScenario } from './transactions.ts'

export const scenarios: Readonly<Record<string, (side: Side) => Promise<void>>> = {
  apiVersions: apiVersionsScenario,
  describeCluster: describeClusterScenario,
  metadata: metadataScenario,
  describeTopicPartitions: describeTopicPartitionsScenario,
  createTopics: createTopicsScenario,
  deleteTopics: deleteTopicsScenario,
  createPartitions: createPartitionsScenario,
  deleteRecords: deleteRecordsScenario,
  // Before others use transactional ids: it waits until their coordinator is there.
  transactions: transactionsScenario,
  produce: produceScenario,
  idempotence: idempotenceScenario,
  initProducerId: initProducerIdScenario,
  fetch: fetchScenario,
  fetchSession: fetchSessionScenario,
  isolation: isolationScenario,
  listOffsets: listOffsetsScenario,
  offsetForLeaderEpoch: offsetForLeaderEpochScenario,
  describeConfigs: describeConfigsScenario,
  alterConfigs: alterConfigsScenario,
  logDirs: logDirsScenario,
  electLeaders: electLeadersScenario,
  reassignments: reassignmentsScenario,
  quorum: quorumScenario,
  features: featuresScenario,
  configResources: configResourcesScenario,
  quotas: quotasScenario,
  joinGroup: joinGroupScenario,
  groupMembers: groupMembersScenario,
  staticMembers: staticMembersScenario,
  rebalance: rebalanceScenario,
  consumerRefusals: consumerRefusalsScenario,
  consumerGroup: consumerGroupScenario,
  // Behind consumerGroup, which takes the pause between two assignments away.
  migration: migrationScenario,
  expressions: expressionsScenario,
  shareMembers: shareMembersScenario,
  shareRecords: shareRecordsScenario,
  shareOffsets: shareOffsetsScenario,
  acls: aclsScenario,
  scram: scramScenario,
  tokens: tokensScenario,
}
