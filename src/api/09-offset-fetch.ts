// OffsetFetch: how far groups have read. One group until v7, many from v8 on; topics by id from v10 on.

import { errors } from '../../protocol/errors.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import type { Fetched } from '../group/offset-requests.ts'
import { type Context, serve } from './api.ts'
import { elsewhere } from './coordinator.ts'

type Asked = { name: string; topicId: string; partitionIndexes: number[] }
type Partition = {
  partitionIndex: number
  committedOffset: number
  committedLeaderEpoch: number
  metadata: string
  errorCode: number
}
type Topic = { name: string; topicId: string; partitions: Partition[] }

export const offsetFetchApi = serve(offsetFetch, [1, 10], (request, context) => {
  const { requireStable } = request
  if (context.version >= 8)
    return { groups: request.groups.map((asked) => answerOf(asked, asked.topics, requireStable, context)) }
  const asked = request.topics?.map((topic) => ({ ...topic, topicId: zeroUuid })) ?? null
  const { topics, errorCode } = answerOf(
    { groupId: request.groupId, memberId: null, memberEpoch: -1 },
    asked,
    requireStable,
    context,
  )
  // v1 has no place for an error of the whole request.
  if (errorCode === 0 || context.version >= 2) return { topics, errorCode }
  return { topics: (asked ?? []).map((topic) => failed(topic, errorCode)) }
})

/** Since v9 a member may say who it is (KIP-848). */
type Asker = { groupId: string; memberId: string | null; memberEpoch: number }

function answerOf(asker: Asker, asked: Asked[] | null, requireStable: boolean, context: Context) {
  const { groupId, memberId, memberEpoch } = asker
  const byId = context.version >= 10
  const { rights } = context
  if (rights?.group('DESCRIBE', groupId) === false)
    return { groupId, topics: [] as Topic[], errorCode: errors.GROUP_AUTHORIZATION_FAILED.code }
  const isSeen = (name: string) => rights === undefined || rights.topic('DESCRIBE', name)
  const topics = asked?.map((topic) => ({ ...topic, known: find(topic, byId, context) })) ?? null
  const wanted = topics?.flatMap(({ known, partitionIndexes }) =>
    known === undefined || !isSeen(known.topic) ? [] : partitionIndexes.map((partition) => ({ ...known, partition })),
  )
  const fetched =
    elsewhere('group', groupId, context) ??
    context.groups.offsets.fetch({ groupId, memberId, generation: memberEpoch, wanted: wanted ?? null, requireStable })
  if (typeof fetched === 'string') return { groupId, topics: [] as Topic[], errorCode: errors[fetched].code }
  if (topics === null)
    return { groupId, topics: everything(fetched, byId, context).filter(({ name }) => isSeen(name)), errorCode: 0 }
  let next = 0
  return {
    groupId,
    topics: topics.map(({ name, topicId, partitionIndexes, known }) => {
      if (known === undefined) return failed({ name, topicId, partitionIndexes }, errors.UNKNOWN_TOPIC_ID.code)
      if (!isSeen(known.topic))
        return failed({ name, topicId, partitionIndexes }, errors.TOPIC_AUTHORIZATION_FAILED.code)
      return { name, topicId, partitions: partitionIndexes.map(() => partitionOf(fetched[next++]!)) }
    }),
    errorCode: 0,
  }
}

/** A name need not be that of a topic here: what was committed for it is told. An id must be known. */
function find({ name, topicId }: Asked, byId: boolean, { broker }: Context) {
  const topic = byId ? broker.topicById(topicId) : broker.topic(name)
  if (topic !== undefined) return { topic: topic.name, topicId: topic.id }
  return byId ? undefined : { topic: name, topicId: null }
}

/** All that the group has committed; by id only what still has one. */
function everything(fetched: Fetched[], byId: boolean, { broker }: Context): Topic[] {
  const topics = new Map<string, Topic>()
  for (const of of fetched) {
    const topicId = broker.topic(of.topic)?.id
    if (byId && topicId === undefined) continue
    const topic = topics.get(of.topic) ?? { name: of.topic, topicId: topicId ?? zeroUuid, partitions: [] }
    topics.set(of.topic, topic)
    topic.partitions.push(partitionOf(of))
  }
  return [...topics.values()]
}

const partitionOf = ({ partition, error, committed }: Fetched): Partition => ({
  partitionIndex: partition,
  committedOffset: committed?.offset ?? -1,
  committedLeaderEpoch: committed?.leaderEpoch ?? -1,
  metadata: committed?.metadata ?? '',
  errorCode: errors[error].code,
})

const failed = ({ name, topicId, partitionIndexes }: Asked, errorCode: number): Topic => ({
  name,
  topicId,
  partitions: partitionIndexes.map((partitionIndex) => ({
    partitionIndex,
    committedOffset: -1,
    committedLeaderEpoch: -1,
    metadata: '',
    errorCode,
  })),
})
