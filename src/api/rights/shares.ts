// Rights on share groups (KIP-932): as on other groups, and READ on the topics whose records are handed out.

import { type ErrorName, Refusal } from '../../../protocol/errors.ts'
import { shareGroupHeartbeat } from '../../../protocol/messages/76-share-group-heartbeat.ts'
import { shareGroupDescribe } from '../../../protocol/messages/77-share-group-describe.ts'
import { shareFetch } from '../../../protocol/messages/78-share-fetch.ts'
import { shareAcknowledge } from '../../../protocol/messages/79-share-acknowledge.ts'
import { describeShareGroupOffsets } from '../../../protocol/messages/90-describe-share-group-offsets.ts'
import { alterShareGroupOffsets } from '../../../protocol/messages/91-alter-share-group-offsets.ts'
import { deleteShareGroupOffsets } from '../../../protocol/messages/92-delete-share-group-offsets.ts'
import { zeroUuid } from '../../../protocol/schema.ts'
import type { Context } from '../api.ts'
import { refuseShares } from '../share-served.ts'
import { refusedMember, showGroups } from './groups.ts'
import { after, codeOf, guard, refusal, split } from './guard.ts'
import type { Rights } from './rights.ts'

const refused = 'GROUP_AUTHORIZATION_FAILED'
const { code: errorCode, message: errorMessage } = new Refusal('TOPIC_AUTHORIZATION_FAILED')

const isServed = (context: Context): boolean => refuseShares(context) === undefined

const shareGroupHeartbeatGuard = guard(shareGroupHeartbeat, (request, rights, next, context) => {
  const error = isServed(context) ? refusedMember(request, rights) : undefined
  return error === undefined ? next(request) : refusal(shareGroupHeartbeat, error)
})

const shareGroupDescribeGuard = guard(shareGroupDescribe, (request, rights, next, context) =>
  isServed(context) ? showGroups(request, rights, next) : next(request),
)

/** Why somebody may not ask about a group; a request that names none is refused for that. */
function refusedReader(groupId: string | null, rights: Rights, context: Context): ErrorName | undefined {
  return groupId !== null && isServed(context) && !rights.group('READ', groupId) ? refused : undefined
}

/** Sessions outlive requests: topics are asked about where they are read. */
const shareFetchGuard = guard(shareFetch, (request, rights, next, context) => {
  const error = refusedReader(request.groupId, rights, context)
  return error === undefined ? next(request) : refusal(shareFetch, error)
})

const shareAcknowledgeGuard = guard(shareAcknowledge, (request, rights, next, context) => {
  const error = refusedReader(request.groupId, rights, context)
  return error === undefined ? next(request) : refusal(shareAcknowledge, error)
})

const describeShareGroupOffsetsGuard = guard(describeShareGroupOffsets, (request, rights, next, context) => {
  if (!isServed(context)) return next(request)
  const mayDescribe = ({ topicName }: { readonly topicName: string }) => rights.topic('DESCRIBE', topicName)
  const asked = request.groups.map((group) => {
    const [topics, hidden] = split(group.topics ?? [], mayDescribe)
    return { group: { ...group, topics: group.topics && topics }, hidden }
  })
  const mayAsk = ({ group }: (typeof asked)[number]) => rights.group('DESCRIBE', group.groupId)
  const [permitted] = split(asked, mayAsk)
  const unknown = { startOffset: -1, leaderEpoch: 0, errorCode, errorMessage }
  return after(next({ ...request, groups: permitted.map(({ group }) => group) }), (answer) => {
    const answers = answer.groups.values()
    const groups = asked.map((one) => {
      const { groupId } = one.group
      if (!permitted.includes(one)) return { groupId, topics: [], errorCode: codeOf(refused) }
      const told = answers.next().value!
      if (told.errorCode !== 0) return told
      const untold = one.hidden.map(({ topicName, partitions }) => ({
        topicName,
        topicId: zeroUuid,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, ...unknown })),
      }))
      return { ...told, topics: [...told.topics.filter(mayDescribe), ...untold] }
    })
    return { ...answer, groups }
  })
})

const alterShareGroupOffsetsGuard = guard(alterShareGroupOffsets, (request, rights, next, context) => {
  const error = refusedReader(request.groupId, rights, context)
  if (error !== undefined) return refusal(alterShareGroupOffsets, error)
  if (!isServed(context)) return next(request)
  const [topics, unread] = split(request.topics, ({ topicName }) => rights.topic('READ', topicName))
  return after(next({ ...request, topics }), (answer) => {
    if (answer.errorCode !== 0) return answer
    const told = unread.map(({ topicName, partitions }) => ({
      topicName,
      topicId: context.broker.topic(topicName)?.id ?? zeroUuid,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode, errorMessage })),
    }))
    return { ...answer, responses: [...told, ...answer.responses] }
  })
})

const deleteShareGroupOffsetsGuard = guard(deleteShareGroupOffsets, (request, rights, next, context) => {
  if (!isServed(context)) return next(request)
  if (!rights.group('DELETE', request.groupId)) return refusal(deleteShareGroupOffsets, refused)
  const [topics, unread] = split(request.topics, ({ topicName }) => rights.topic('READ', topicName))
  return after(next({ ...request, topics }), (answer) => {
    if (answer.errorCode !== 0) return answer
    const told = unread.map(({ topicName }) => ({ topicName, topicId: zeroUuid, errorCode, errorMessage }))
    return { ...answer, responses: [...told, ...answer.responses] }
  })
})

export const shareGuards = [
  ...[shareGroupHeartbeatGuard, shareGroupDescribeGuard, shareFetchGuard, shareAcknowledgeGuard],
  ...[describeShareGroupOffsetsGuard, alterShareGroupOffsetsGuard, deleteShareGroupOffsetsGuard],
]
