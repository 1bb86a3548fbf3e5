// Rights on the cluster itself, which most tools of administrators need; an answer that has room for it says so at each of the
// things that were asked about.

import { Refusal } from '../../../protocol/errors.ts'
import { describeAcls } from '../../../protocol/messages/29-describe-acls.ts'
import { createAcls } from '../../../protocol/messages/30-create-acls.ts'
import { deleteAcls } from '../../../protocol/messages/31-delete-acls.ts'
import { alterReplicaLogDirs } from '../../../protocol/messages/34-alter-replica-log-dirs.ts'
import { describeLogDirs } from '../../../protocol/messages/35-describe-log-dirs.ts'
import { electLeaders } from '../../../protocol/messages/43-elect-leaders.ts'
import { alterPartitionReassignments } from '../../../protocol/messages/45-alter-partition-reassignments.ts'
import { listPartitionReassignments } from '../../../protocol/messages/46-list-partition-reassignments.ts'
import { describeClientQuotas } from '../../../protocol/messages/48-describe-client-quotas.ts'
import { alterClientQuotas } from '../../../protocol/messages/49-alter-client-quotas.ts'
import { describeUserScramCredentials } from '../../../protocol/messages/50-describe-user-scram-credentials.ts'
import { alterUserScramCredentials } from '../../../protocol/messages/51-alter-user-scram-credentials.ts'
import { describeQuorum } from '../../../protocol/messages/55-describe-quorum.ts'
import { updateFeatures } from '../../../protocol/messages/57-update-features.ts'
import { unregisterBroker } from '../../../protocol/messages/64-unregister-broker.ts'
import { listConfigResources } from '../../../protocol/messages/74-list-config-resources.ts'
import type { ApiTable, Request, Response } from '../../../protocol/schema.ts'
import type { Question } from '../../auth/acl.ts'
import { type GuardRow, guard, refusal } from './guard.ts'

const refused = 'CLUSTER_AUTHORIZATION_FAILED'
const { code: errorCode, message: errorMessage } = new Refusal(refused)
const error = { errorCode, errorMessage }

/** `beside`: what the answer says beside the error of the whole. */
const cluster = <A extends ApiTable>(
  table: A,
  operation: Question,
  beside: (request: Request<A>) => Partial<Response<A>> = () => ({}),
): GuardRow =>
  guard(table, (request, rights, next) => {
    if (rights.cluster(operation)) return next(request)
    return { ...refusal(table, refused), ...beside(request) }
  })

const nothingMoves = { replicas: [], addingReplicas: [], removingReplicas: [] }
const said = () => ({ errorMessage })

export const clusterGuards: readonly GuardRow[] = [
  cluster(describeAcls, 'DESCRIBE', said),
  cluster(createAcls, 'ALTER', ({ creations }) => ({ results: creations.map(() => error) })),
  cluster(deleteAcls, 'ALTER', ({ filters }) => ({
    filterResults: filters.map(() => ({ ...error, matchingAcls: [] })),
  })),
  cluster(alterReplicaLogDirs, 'ALTER', ({ dirs }) => ({
    results: dirs.flatMap(({ topics }) =>
      topics.map(({ name: topicName, partitions }) => ({
        topicName,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode })),
      })),
    ),
  })),
  cluster(describeLogDirs, 'DESCRIBE'),
  cluster(electLeaders, 'ALTER', ({ topicPartitions }) => ({
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, ...error })),
    })),
  })),
  cluster(alterPartitionReassignments, 'ALTER', ({ topics }) => ({
    errorMessage,
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...error })),
    })),
  })),
  cluster(listPartitionReassignments, 'DESCRIBE', ({ topics }) => ({
    errorMessage,
    topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, ...nothingMoves })),
    })),
  })),
  cluster(describeClientQuotas, 'DESCRIBE_CONFIGS', () => ({ errorMessage, entries: null })),
  cluster(alterClientQuotas, 'ALTER_CONFIGS', ({ entries }) => ({
    entries: entries.map(({ entity }) => ({ ...error, entity })),
  })),
  // As a real broker: one user without a name is refused, too.
  cluster(describeUserScramCredentials, 'DESCRIBE', () => ({
    errorMessage,
    results: [{ user: '', errorCode, errorMessage: null, credentialInfos: [] }],
  })),
  cluster(alterUserScramCredentials, 'ALTER', ({ deletions, upsertions }) => ({
    results: [...new Set([...deletions, ...upsertions].map(({ name }) => name))].map((user) => ({ user, ...error })),
  })),
  cluster(describeQuorum, 'DESCRIBE', said),
  cluster(updateFeatures, 'ALTER', said),
  cluster(unregisterBroker, 'ALTER', said),
  cluster(listConfigResources, 'DESCRIBE_CONFIGS'),
]
