// Rights on groups: members need READ on theirs, those who look DESCRIBE, those who clear up DELETE.

import { type ErrorName, Refusal } from '../../../protocol/errors.ts'
import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { joinGroup } from '../../../protocol/messages/11-join-group.ts'
import { heartbeat } from '../../../protocol/messages/12-heartbeat.ts'
import { leaveGroup } from '../../../protocol/messages/13-leave-group.ts'
import { syncGroup } from '../../../protocol/messages/14-sync-group.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { listGroups } from '../../../protocol/messages/16-list-groups.ts'
import { deleteGroups } from '../../../protocol/messages/42-delete-groups.ts'
import { offsetDelete } from '../../../protocol/messages/47-offset-delete.ts'
import { consumerGroupHeartbeat } from '../../../protocol/messages/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../../protocol/messages/69-consumer-group-describe.ts'
import { joinRefused } from '../../group/member.ts'
import { joinAnswer } from '../11-join-group.ts'
import { isSilent } from '../14-sync-group.ts'
import { isServed } from '../68-consumer-group-heartbeat.ts'
import { uncommitted } from '../committed-topics.ts'
import { after, codeOf, guard, refusal, split } from './guard.ts'
import type { Rights } from './rights.ts'

const refused = 'GROUP_AUTHORIZATION_FAILED'
const errorCode = codeOf(refused)

const offsetCommitGuard = guard(offsetCommit, (request, rights, next) =>
  rights.group('READ', request.groupId) ? next(request) : { topics: uncommitted(request.topics, refused) },
)

const joinGroupGuard = guard(joinGroup, (request, rights, next, { version }) =>
  rights.group('READ', request.groupId) ? next(request) : joinAnswer(joinRefused(refused, ''), version),
)

const heartbeatGuard = guard(heartbeat, (request, rights, next) =>
  rights.group('READ', request.groupId) ? next(request) : { errorCode },
)

const leaveGroupGuard = guard(leaveGroup, (request, rights, next) =>
  rights.group('READ', request.groupId) ? next(request) : { errorCode },
)

const syncGroupGuard = guard(syncGroup, (request, rights, next, { version }) => {
  const isAsked = isSilent(request, version) || rights.group('READ', request.groupId)
  return isAsked ? next(request) : refusal(syncGroup, refused)
})

const describeGroupsGuard = guard(describeGroups, (request, rights, next) => {
  const [groups, hidden] = split(request.groups, (groupId) => rights.group('DESCRIBE', groupId))
  const nothing = { groupState: '', protocolType: '', protocolData: '', members: [] }
  return after(next({ ...request, groups }), (answer) => ({
    groups: [...hidden.map((groupId) => ({ groupId, errorCode, ...nothing })), ...answer.groups],
  }))
})

const listGroupsGuard = guard(listGroups, (request, rights, next) => {
  if (rights.cluster('DESCRIBE')) return next(request)
  return after(next(request), (answer) => ({
    ...answer,
    groups: answer.groups.filter(({ groupId }) => rights.group('DESCRIBE', groupId)),
  }))
})

const deleteGroupsGuard = guard(deleteGroups, (request, rights, next) => {
  const [groupsNames, kept] = split([...new Set(request.groupsNames)], (groupId) => rights.group('DELETE', groupId))
  return after(next({ ...request, groupsNames }), (answer) => ({
    ...answer,
    results: [...answer.results, ...kept.map((groupId) => ({ groupId, errorCode }))],
  }))
})

const offsetDeleteGuard = guard(offsetDelete, (request, rights, next) => {
  if (!rights.group('DELETE', request.groupId)) return refusal(offsetDelete, refused)
  const [topics, unread] = split(request.topics, ({ name }) => rights.topic('READ', name))
  const code = codeOf('TOPIC_AUTHORIZATION_FAILED')
  return after(next({ ...request, topics }), (answer) => {
    if (answer.errorCode !== 0) return answer
    const told = unread.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })),
    }))
    return { ...answer, topics: [...told, ...answer.topics] }
  })
})

/** Members may not name topics that they may not see; what an expression matches of those is as if it were not there. */
export function refusedMember(
  { groupId, subscribedTopicNames }: { groupId: string; subscribedTopicNames: string[] | null },
  rights: Rights,
): ErrorName | undefined {
  if (!rights.group('READ', groupId)) return refused
  const isSeen = (subscribedTopicNames ?? []).every((name) => rights.subscribed('DESCRIBE', name))
  return isSeen ? undefined : 'TOPIC_AUTHORIZATION_FAILED'
}

const consumerGroupHeartbeatGuard = guard(consumerGroupHeartbeat, (request, rights, next, context) => {
  const error = isServed(context) ? refusedMember(request, rights) : undefined
  return error === undefined ? next(request) : refusal(consumerGroupHeartbeat, error)
})

type Assigned = { readonly topicPartitions: readonly { readonly topicName: string }[] }
type Described = {
  readonly members: readonly { readonly assignment: Assigned; readonly targetAssignment?: Assigned }[]
}

function isSeen({ members }: Described, rights: Rights): boolean {
  const assigned = members.flatMap(({ assignment, targetAssignment }) => [
    ...assignment.topicPartitions,
    ...(targetAssignment?.topicPartitions ?? []),
  ])
  return [...new Set(assigned.map(({ topicName }) => topicName))].every((name) => rights.topic('DESCRIBE', name))
}

/** A group of which nothing is told but why. */
function unseen(groupId: string, error: ErrorName) {
  const { code, message } = new Refusal(error)
  const nothing = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] }
  return { groupId, errorCode: code, errorMessage: error === refused ? null : message, ...nothing }
}

/** A group is shown whole or not at all: not at all where it reads what the client may not see. */
export function showGroups<
  R extends { readonly groupIds: readonly string[] },
  A extends { readonly groups: readonly (Described & { readonly groupId: string })[] },
>(request: R, rights: Rights, next: (request: R) => A | undefined | Promise<A | undefined>) {
  const [groupIds, hidden] = split(request.groupIds, (groupId) => rights.group('DESCRIBE', groupId))
  return after(next({ ...request, groupIds }), (answer) => ({
    ...answer,
    groups: [
      ...hidden.map((groupId) => unseen(groupId, refused)),
      ...answer.groups.map((group) =>
        isSeen(group, rights) ? group : unseen(group.groupId, 'TOPIC_AUTHORIZATION_FAILED'),
      ),
    ],
  }))
}

const consumerGroupDescribeGuard = guard(consumerGroupDescribe, (request, rights, next, context) =>
  isServed(context) ? showGroups(request, rights, next) : next(request),
)

export const groupGuards = [
  ...[offsetCommitGuard, joinGroupGuard, heartbeatGuard, leaveGroupGuard, syncGroupGuard],
  ...[describeGroupsGuard, listGroupsGuard, deleteGroupsGuard, offsetDeleteGuard],
  ...[consumerGroupHeartbeatGuard, consumerGroupDescribeGuard],
]
