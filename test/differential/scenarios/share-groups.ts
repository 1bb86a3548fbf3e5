// Share groups (KIP-932): members, sessions, what is handed out and taken back, and where groups begin.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { findCoordinator } from '../../../protocol/messages/10-find-coordinator.ts'
import { listGroups } from '../../../protocol/messages/16-list-groups.ts'
import { deleteGroups } from '../../../protocol/messages/42-delete-groups.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import { shareGroupHeartbeat } from '../../../protocol/messages/76-share-group-heartbeat.ts'
import { shareGroupDescribe } from '../../../protocol/messages/77-share-group-describe.ts'
import { shareFetch } from '../../../protocol/messages/78-share-fetch.ts'
import { shareAcknowledge } from '../../../protocol/messages/79-share-acknowledge.ts'
import { describeShareGroupOffsets } from '../../../protocol/messages/90-describe-share-group-offsets.ts'
import { alterShareGroupOffsets } from '../../../protocol/messages/91-alter-share-group-offsets.ts'
import { deleteShareGroupOffsets } from '../../../protocol/messages/92-delete-share-group-offsets.ts'
import type { Body } from '../../wire-client.ts'
import { batchOf } from '../../wire-client.ts'
import { pause, type Side } from '../side.ts'
import { coordinatorOf } from './groups.ts'

const unknownId = 'QQQQQQQQQQQQQQQQQQQQQg'
/** First offset, last offset, types. */
type Said = readonly [number, number, ...number[]]
type Asked = { groupId?: string | null; memberId?: string | null; epoch?: number; isRenewAck?: boolean }

export async function earliest(side: Side, groupId: string): Promise<void> {
  const configs = [{ name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' }]
  const resources = [{ resourceType: 32, resourceName: groupId, configs }]
  await side.quiet(incrementalAlterConfigs, 1, { resources, validateOnly: false })
  await side.settle()
}

export const beatBody = (
  groupId: string,
  memberId: string,
  memberEpoch: number,
  topics: string[] | null,
  rackId: string | null = null,
) => ({
  groupId,
  memberId,
  memberEpoch,
  rackId,
  subscribedTopicNames: topics,
})

/** Until the member has partitions: Kafka takes its time. */
export async function ready(side: Side, groupId: string, memberId: string, topic: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await side.quiet(shareGroupHeartbeat, 1, beatBody(groupId, memberId, 0, [topic]))
    if ((answer.assignment?.topicPartitions.length ?? 0) > 0) return
    await pause(100)
  }
  throw new Error(`${side.bootstrap}: ${groupId} gets nothing`)
}

export const topicsOf = (topicId: string, partitionIndex: number, said: readonly Said[]) => [
  {
    topicId,
    partitions: [
      {
        partitionIndex,
        acknowledgementBatches: said.map(([firstOffset, lastOffset, ...acknowledgeTypes]) => ({
          firstOffset,
          lastOffset,
          acknowledgeTypes,
        })),
      },
    ],
  },
]

type Topics = ReturnType<typeof topicsOf>

export async function fetch(
  side: Side,
  label: string,
  topics: Topics,
  { groupId = 'sg', memberId = 'a', epoch = 0, isRenewAck = false }: Asked,
  more: Partial<Body<typeof shareFetch>> = {},
): Promise<void> {
  await side.ask(label, shareFetch, 2, {
    groupId,
    memberId,
    shareSessionEpoch: epoch,
    maxWaitMs: 300,
    minBytes: 1,
    maxBytes: 1_000_000,
    maxRecords: 500,
    batchSize: 500,
    shareAcquireMode: 0,
    isRenewAck,
    topics,
    forgottenTopicsData: [],
    ...more,
  })
}

export async function acknowledge(
  side: Side,
  label: string,
  topics: Topics,
  { groupId = 'sg', memberId = 'a', epoch = 0, isRenewAck = false }: Asked,
): Promise<void> {
  await side.ask(label, shareAcknowledge, 2, { groupId, memberId, shareSessionEpoch: epoch, isRenewAck, topics })
}

export async function shareMembersScenario(side: Side): Promise<void> {
  const topicId = await side.topic('sg-members', 2)
  await coordinatorOf(side, 'sg-members')
  const beat = (label: string, ...body: Parameters<typeof beatBody>) =>
    side.ask(label, shareGroupHeartbeat, 1, beatBody(...body))
  await beat('no group', '', 'a', 0, ['sg-members'])
  await beat('no member', 'sg-members', '', 0, ['sg-members'])
  await beat('no topics', 'sg-members', 'a', 0, null)
  await beat('empty topics', 'sg-members', 'a', 0, [])
  await beat('empty rack', 'sg-members', 'a', 0, ['sg-members'], '')
  await beat('epoch -2', 'sg-members', 'a', -2, null)
  await beat('nobody leaves', 'sg-members', 'a', -1, null)
  await beat('no such group', 'sg-members', 'a', 5, null)
  await ready(side, 'sg-members', 'a', 'sg-members')
  await beat('a greater epoch', 'sg-members', 'a', 99, null)
  await beat('an unknown member', 'sg-members', 'b', 3, null)
  await beat('an unknown member leaves', 'sg-members', 'b', -1, null)
  await beat('joins again', 'sg-members', 'a', 0, ['sg-members'])
  const describe = (label: string, groupIds: string[]) =>
    side.ask(label, shareGroupDescribe, 1, { groupIds, includeAuthorizedOperations: true })
  await describe('described', ['sg-members'])
  await describe('nobody described', ['sg-nobody'])
  await describe('no name described', [''])
  await side.ask('share groups', listGroups, 5, { statesFilter: ['Stable'], typesFilter: ['Share'] })
  const keys = [
    `sg-members:${topicId}:0`,
    'sg-members',
    `sg-members:${topicId}`,
    `:${topicId}:0`,
    `sg-members:${topicId}:x`,
  ]
  for (const [i, key] of keys.entries())
    await side.quiet(findCoordinator, 6, { keyType: 2, coordinatorKeys: [key] }).then(async ({ coordinators }) => {
      side.asked.push({ label: `key ${i}`, api: 'FindCoordinator', version: 6, answer: coordinators[0]!.errorCode })
    })
  await side.ask('not empty', deleteGroups, 2, { groupsNames: ['sg-members'] })
  await beat('leaves', 'sg-members', 'a', -1, null)
  await beat('leaves again', 'sg-members', 'a', -1, null)
  await describe('empty', ['sg-members'])
  await side.ask('deleted', deleteGroups, 2, { groupsNames: ['sg-members'] })
}

export async function shareRecordsScenario(side: Side): Promise<void> {
  const id = await side.topic('sg', 1)
  await earliest(side, 'sg')
  for (const count of [10, 3, 3]) {
    const records = batchOf(Array.from({ length: count }, (_, i) => `v${i}`))
    const topicData = [{ name: 'sg', partitionData: [{ index: 0, records }] }]
    await side.quiet(produce, 9, { acks: -1, timeoutMs: 5000, topicData })
  }
  await ready(side, 'sg', 'a', 'sg')
  const all = topicsOf(id, 0, [])
  await fetch(side, 'no group', all, { groupId: null })
  await fetch(side, 'a group of nobody', all, { groupId: 'sg-nobody' })
  await fetch(side, 'no member', all, { memberId: null })
  await fetch(side, 'an empty member', all, { memberId: '' })
  await fetch(side, 'ends what was not begun', [], { memberId: 'c', epoch: -1 })
  await fetch(side, 'goes on with what was not begun', [], { memberId: 'c', epoch: 3 })
  await fetch(side, 'epoch -2', [], { memberId: 'c', epoch: -2 })
  await fetch(side, 'words before the first record', topicsOf(id, 0, [[0, 0, 1]]), { memberId: 'c' })
  await fetch(side, 'an unknown topic', topicsOf(unknownId, 0, []), { memberId: 'c' })
  await fetch(side, 'ends', [], { memberId: 'c', epoch: -1 })
  await fetch(side, 'an unknown partition', topicsOf(id, 9, []), { memberId: 'c' })
  await fetch(side, 'words about it', topicsOf(id, 9, [[0, 0, 1]]), { memberId: 'c', epoch: 1 })
  await fetch(side, 'ends again', [], { memberId: 'c', epoch: -1 })
  await fetch(side, 'an unknown mode', all, { memberId: 'c' }, { shareAcquireMode: 7 })
  await fetch(side, 'no records', all, { memberId: 'd' }, { maxRecords: 0 })
  await fetch(side, 'ends without records', [], { memberId: 'd', epoch: -1 })
  await fetch(side, 'four', all, {}, { maxRecords: 4, shareAcquireMode: 1 })
  await fetch(side, 'three more', [], { epoch: 1 }, { maxRecords: 3, shareAcquireMode: 1 })
  let epoch = 2
  const say = (label: string, ...said: Said[]) => acknowledge(side, label, topicsOf(id, 0, said), { epoch: epoch++ })
  await say('gap, accept, release', [0, 2, 0, 1, 2])
  await say('no types', [3, 3])
  await say('too many types', [3, 3, 1, 1])
  await say('an unknown type', [3, 3, 9])
  await say('a negative type', [3, 3, -1])
  await say('overlapping', [3, 4, 1], [4, 5, 1])
  await say('out of order', [5, 5, 1], [3, 3, 1])
  await say('backwards', [5, 4, 1])
  await say('renewal unannounced', [3, 3, 4])
  await acknowledge(side, 'renewal', topicsOf(id, 0, [[3, 3, 4]]), { epoch: epoch++, isRenewAck: true })
  await acknowledge(side, 'nothing', [], { epoch: epoch++ })
  await acknowledge(side, 'an unknown topic', topicsOf(unknownId, 0, [[0, 0, 1]]), { epoch: epoch++ })
  await acknowledge(side, 'an unknown partition', topicsOf(id, 7, [[0, 0, 1]]), { epoch: epoch++ })
  await say('good and bad', [4, 4, 1], [100, 100, 1])
  await say('past the end', [4, 100, 1])
  await say('what is done already', [1, 1, 1])
  await say('before the beginning', [-1, 1, 1])
  await say('the rest', [3, 6, 1])
  await acknowledge(side, 'epoch 0', topicsOf(id, 0, [[0, 0, 1]]), {})
  await acknowledge(side, 'an old epoch', topicsOf(id, 0, [[0, 0, 1]]), { epoch: 1 })
  await acknowledge(side, 'no session', topicsOf(id, 0, [[0, 0, 1]]), { epoch: 1, memberId: 'e' })
  await acknowledge(side, 'no member', [], { epoch: 1, memberId: '' })
  await fetch(side, 'renews and wants records', topicsOf(id, 0, [[3, 3, 4]]), { epoch, isRenewAck: true })
  await side.settle()
  await fetch(side, 'what was released', [], { epoch: epoch++ }, { maxRecords: 1, shareAcquireMode: 1 })
  await fetch(side, 'another member', all, { memberId: 'b' }, { maxRecords: 2, shareAcquireMode: 1 })
  await acknowledge(side, 'of somebody else', topicsOf(id, 0, [[2, 2, 1]]), { memberId: 'b', epoch: 1 })
  await fetch(side, 'the last word', topicsOf(id, 0, [[2, 2, 1]]), { epoch: -1 })
}

export async function shareOffsetsScenario(side: Side): Promise<void> {
  await side.topic('sg-offsets', 1)
  const records = batchOf(['a', 'b', 'c', 'd'])
  const topicData = [{ name: 'sg-offsets', partitionData: [{ index: 0, records }] }]
  await side.quiet(produce, 9, { acks: -1, timeoutMs: 5000, topicData })
  await ready(side, 'sg-offsets', 'a', 'sg-offsets')
  const offsets = (
    label: string,
    groupId = 'sg-offsets',
    topics: { topicName: string; partitions: number[] }[] | null = null,
  ) => side.each(label, describeShareGroupOffsets, { groups: [{ groupId, topics }] })
  const alter = (
    label: string,
    startOffset: number,
    topicName = 'sg-offsets',
    partitionIndex = 0,
    groupId = 'sg-offsets',
  ) =>
    side.ask(label, alterShareGroupOffsets, 0, {
      groupId,
      topics: [{ topicName, partitions: [{ partitionIndex, startOffset }] }],
    })
  const remove = (label: string, topicName = 'sg-offsets', groupId = 'sg-offsets') =>
    side.ask(label, deleteShareGroupOffsets, 0, { groupId, topics: [{ topicName }] })
  await offsets('before anything')
  await offsets('of nobody', 'sg-nobody')
  await offsets('of no name', '')
  await offsets('of a topic that is not', 'sg-offsets', [{ topicName: 'nope', partitions: [0] }])
  await alter('with members', 2)
  await side.ask('nothing, with members', alterShareGroupOffsets, 0, { groupId: 'sg-offsets', topics: [] })
  await side.quiet(offsetCommit, 8, {
    ...{ groupId: 'sg-offsets-classic', memberId: '', generationIdOrMemberEpoch: -1 },
    topics: [{ name: 'sg-offsets', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }],
  })
  await remove('with members')
  await side.quiet(shareGroupHeartbeat, 1, beatBody('sg-offsets', 'a', -1, null))
  await alter('to 2', 2)
  await offsets('at 2')
  await alter('to -5', -5)
  await offsets('at -5')
  await alter('to 5000', 5000)
  await offsets('at 5000')
  await alter('a partition that is not', 2, 'sg-offsets', 9)
  await alter('a topic that is not', 2, 'nope')
  await alter('no name', 2, 'sg-offsets', 0, '')
  await alter('a new group', 1, 'sg-offsets', 0, 'sg-new')
  await offsets('of the new group', 'sg-new')
  await alter('a topic that is not, in a new group', 1, 'nope', 0, 'sg-nope')
  await side.each('made for a topic that is not?', deleteGroups, { groupsNames: ['sg-nope'] })
  for (const groupId of ['sg-unmade', '', 'sg-offsets', 'sg-offsets-classic'])
    await side.ask(`nothing of ${groupId}`, alterShareGroupOffsets, 0, { groupId, topics: [] })
  await side.each('made for nothing?', deleteGroups, { groupsNames: ['sg-unmade'] })
  const noPartitions = [{ topicName: 'sg-offsets', partitions: [] }]
  await side.ask('no partitions', alterShareGroupOffsets, 0, { groupId: 'sg-unmade', topics: noPartitions })
  await side.each('made for no partitions?', deleteGroups, { groupsNames: ['sg-unmade'] })
  await remove('a topic that is not', 'nope')
  await remove('no name', 'sg-offsets', '')
  await remove('of nobody', 'sg-offsets', 'sg-nobody')
  await remove('removed')
  await remove('removed again')
  await offsets('after all')
}
