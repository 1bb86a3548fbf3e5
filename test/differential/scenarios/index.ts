// All scenarios by name, in the order in which they run.

import type { Side } from '../side.ts'
import { walkScenarios } from '../walks/index.ts'
import { aclsOnScenario } from './acls.ts'
import {
  configResourcesScenario,
  electLeadersScenario,
  featuresScenario,
  logDirsScenario,
  quorumScenario,
  reassignmentsScenario,
} from './admin.ts'
import { assignorsScenario, consumerWordsScenario, protocolsScenario } from './assignments.ts'
import { apiVersionsScenario, describeClusterScenario, unservedScenario } from './cluster.ts'
import {
  brokerValuesScenario,
  groupValuesScenario,
  metricsValuesScenario,
  topicValuesScenario,
} from './config-values.ts'
import { alterConfigsScenario, describeConfigsScenario } from './configs.ts'
import { consumerGroupScenario, consumerRefusalsScenario, expressionsScenario } from './consumer-groups.ts'
import { committedOffsetsScenario, coordinatorsScenario } from './coordinators.ts'
import { epochsRunOutScenario } from './epochs-run-out.ts'
import { featuresOffScenario } from './features-off.ts'
import { fetchScenario, fetchSessionScenario } from './fetch.ts'
import { groupMembersScenario, joinGroupScenario, staticMembersScenario } from './groups.ts'
import { isolationScenario } from './isolation.ts'
import { limitsScenario } from './limits.ts'
import { describeTopicPartitionsScenario, metadataScenario } from './metadata.ts'
import { listOffsetsScenario, offsetForLeaderEpochScenario } from './offsets.ts'
import { pipelinedScenario } from './pipelined.ts'
import { idempotenceScenario, initProducerIdScenario, produceScenario } from './produce.ts'
import { quotasScenario } from './quotas.ts'
import { migrationScenario, rebalanceScenario } from './rebalances.ts'
import { afterRestartScenario, beforeRestartScenario } from './restart.ts'
import { rightsScenario } from './rights.ts'
import { rightsEdgesScenario } from './rights-edges.ts'
import { aclsScenario, scramScenario, tokensScenario } from './security.ts'
import { shareMembersScenario, shareOffsetsScenario, shareRecordsScenario } from './share-groups.ts'
import { shareDeliveriesScenario, shareSessionsScenario } from './share-sessions.ts'
import { timeIsUpScenario } from './time-is-up.ts'
import {
  createPartitionsScenario,
  createTopicsScenario,
  deleteRecordsScenario,
  deleteTopicsScenario,
} from './topics.ts'
import { topicsGoneScenario } from './topics-gone.ts'
import { transactionsScenario } from './transactions.ts'
import { mixedTransactionsScenario } from './transactions-mixed.ts'

export const scenarios: Readonly<Record<string, (side: Side) => Promise<void>>> = {
  apiVersions: apiVersionsScenario,
  unserved: unservedScenario,
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
  // Behind all that count what is there: these leave much behind.
  coordinators: coordinatorsScenario,
  committedOffsets: committedOffsetsScenario,
  mixedTransactions: mixedTransactionsScenario,
  pipelined: pipelinedScenario,
  protocols: protocolsScenario,
  assignors: assignorsScenario,
  consumerWords: consumerWordsScenario,
  shareSessions: shareSessionsScenario,
  shareDeliveries: shareDeliveriesScenario,
  timeIsUp: timeIsUpScenario,
  topicsGone: topicsGoneScenario,
  topicValues: topicValuesScenario,
  groupValues: groupValuesScenario,
  metricsValues: metricsValuesScenario,
  brokerValues: brokerValuesScenario,
}

/** Those that need brokers of their own, and the walks that go on for as long as is asked: played where they are named. */
export const onDemand: Readonly<Record<string, (side: Side) => Promise<void>>> = {
  ...walkScenarios,
  aclsOn: aclsOnScenario,
  limits: limitsScenario,
  featuresOff: featuresOffScenario,
  epochsRunOut: epochsRunOutScenario,
  beforeRestart: beforeRestartScenario,
  afterRestart: afterRestartScenario,
  rights: rightsScenario,
  rightsEdges: rightsEdgesScenario,
}
