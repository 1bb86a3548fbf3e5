// What OffsetCommit and TxnOffsetCommit have in common: topics that are here are committed for together, and every
// partition of the request is answered by itself, in its place.

import { type ErrorName, errors } from '../../protocol/errors.ts'
import type { Topic } from '../broker/topic.ts'
import type { Commit } from '../group/offset-requests.ts'
import type { Context } from './api.ts'

type AskedPartition = {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly committedMetadata: string | null
}
type AskedTopic = { readonly name: string; readonly topicId: string; readonly partitions: readonly AskedPartition[] }

/** `byId`: the request names topics by id (KIP-848). `commit` answers each commit in its order. */
export async function commitTopics(
  topics: readonly AskedTopic[],
  byId: boolean,
  { broker, rights }: Context,
  commit: (commits: Commit[]) => Promise<readonly ErrorName[]>,
) {
  const answers = new Map<object, ErrorName>()
  const commits: Commit[] = []
  const committed: object[] = []
  for (const { name, topicId, partitions } of topics) {
    const topic = byId ? broker.topicById(topicId) : broker.topic(name)
    const isForbidden = (!byId || topic !== undefined) && rights?.topic('READ', topic?.name ?? name) === false
    for (const partition of partitions) {
      if (isForbidden) {
        answers.set(partition, 'TOPIC_AUTHORIZATION_FAILED')
        continue
      }
      if (topic === undefined || topic.partitions[partition.partitionIndex] === undefined) {
        answers.set(partition, topic === undefined && byId ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION')
        continue
      }
      commits.push(commitOf(topic, partition))
      committed.push(partition)
    }
  }
  const outcomes = await commit(commits)
  outcomes.forEach((error, i) => {
    answers.set(committed[i]!, error)
  })
  return answered(topics, (partition) => answers.get(partition)!)
}

/** The answer where nothing is committed. */
export const uncommitted = (topics: readonly AskedTopic[], error: ErrorName) => answered(topics, () => error)

const answered = (topics: readonly AskedTopic[], errorOf: (partition: AskedPartition) => ErrorName) =>
  topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map((partition) => ({
      partitionIndex: partition.partitionIndex,
      errorCode: errors[errorOf(partition)].code,
    })),
  }))

const commitOf = (topic: Topic, partition: AskedPartition): Commit => ({
  topic: topic.name,
  topicId: topic.id,
  partition: partition.partitionIndex,
  offset: partition.committedOffset,
  leaderEpoch: partition.committedLeaderEpoch,
  metadata: partition.committedMetadata ?? '',
})
