// OffsetCommit: keeps how far a group has read. Topics must exist here; the rest is the group's to judge.

import { type ErrorName, errors } from '../../protocol/errors.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import type { Element, Request } from '../../protocol/schema.ts'
import type { Topic } from '../broker/topic.ts'
import type { Commit } from '../group/offset-requests.ts'
import { type Context, serve } from './api.ts'
import { elsewhere } from './coordinator.ts'

type Asked = Element<Request<typeof offsetCommit>, 'topics'>

export const offsetCommitApi = serve(offsetCommit, [2, 10], async (request, context) => {
  const answers = new Map<object, ErrorName>()
  const commits: Commit[] = []
  const committed: object[] = []
  for (const asked of request.topics) {
    const topic = find(asked, context)
    for (const partition of asked.partitions) {
      if (topic === undefined || topic.partitions[partition.partitionIndex] === undefined) {
        answers.set(partition, unknown(topic, context.version))
        continue
      }
      commits.push(commitOf(topic, partition))
      committed.push(partition)
    }
  }
  const outcomes = await commit(request, commits, context)
  outcomes.forEach((error, i) => {
    answers.set(committed[i]!, asOf(context.version, error))
  })
  return {
    topics: request.topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map((partition) => ({
        partitionIndex: partition.partitionIndex,
        errorCode: errors[answers.get(partition)!].code,
      })),
    })),
  }
})

async function commit(
  request: Request<typeof offsetCommit>,
  commits: Commit[],
  context: Context,
): Promise<ErrorName[]> {
  const wrong = elsewhere('group', request.groupId, context)
  if (wrong !== undefined) return commits.map(() => wrong)
  return context.groups.offsets.commit({
    groupId: request.groupId,
    generation: request.generationIdOrMemberEpoch,
    memberId: request.memberId,
    instanceId: request.groupInstanceId,
    knowsEpochs: context.version >= 9,
    partitions: commits,
    // KIP-211 took it out of the request with v5.
    retentionMs: request.retentionTimeMs === -1 ? null : request.retentionTimeMs,
    commits,
  })
}

/** v10 names topics by id only (KIP-848). */
const find = ({ name, topicId }: Asked, { broker, version }: Context): Topic | undefined =>
  version >= 10 ? broker.topicById(topicId) : broker.topic(name)

const unknown = (topic: Topic | undefined, version: number): ErrorName =>
  topic === undefined && version >= 10 ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'

const commitOf = (topic: Topic, partition: Element<Asked, 'partitions'>): Commit => ({
  topic: topic.name,
  topicId: topic.id,
  partition: partition.partitionIndex,
  offset: partition.committedOffset,
  leaderEpoch: partition.committedLeaderEpoch,
  metadata: partition.committedMetadata ?? '',
})

/** Before v9 a generation of a group that is not here was called illegal. */
const asOf = (version: number, error: ErrorName): ErrorName =>
  error === 'GROUP_ID_NOT_FOUND' && version < 9 ? 'ILLEGAL_GENERATION' : error
