// ShareGroupDescribe, and where a group begins: Describe-, Alter- and DeleteShareGroupOffsets, with Kafka 4.4.0's answers.

import { expect, test } from 'vitest'
import { listGroups } from '../../protocol/messages/16-list-groups.ts'
import { deleteGroups } from '../../protocol/messages/42-delete-groups.ts'
import { updateFeatures } from '../../protocol/messages/57-update-features.ts'
import { shareGroupDescribe } from '../../protocol/messages/77-share-group-describe.ts'
import { describeShareGroupOffsets } from '../../protocol/messages/90-describe-share-group-offsets.ts'
import { alterShareGroupOffsets } from '../../protocol/messages/91-alter-share-group-offsets.ts'
import { deleteShareGroupOffsets } from '../../protocol/messages/92-delete-share-group-offsets.ts'
import { joined } from '../share/member.ts'
import { errorOf, Line } from './line.ts'

/** `jobs-0: 5 (7 left)`: where a group is, and its lag. */
async function offsets(
  line: Line,
  groupId = 'workers',
  topics: { topicName: string; partitions: number[] }[] | null = null,
) {
  const { groups } = await line.ask(describeShareGroupOffsets, 1, { groups: [{ groupId, topics }] })
  return groups[0]!.topics.flatMap(({ topicName, partitions }) =>
    partitions.map(
      ({ partitionIndex, startOffset, lag }) => `${topicName}-${partitionIndex}: ${startOffset} (${lag} left)`,
    ),
  )
}

async function alter(
  line: Line,
  startOffset: number,
  { groupId = 'workers', topicName = 'jobs', partitionIndex = 0 } = {},
) {
  const topics = [{ topicName, partitions: [{ partitionIndex, startOffset }] }]
  const answer = await line.ask(alterShareGroupOffsets, 0, { groupId, topics })
  return answer.errorCode === 0 ? errorOf(answer.responses[0]!.partitions[0]!) : errorOf(answer)
}

async function remove(line: Line, topicName = 'jobs', groupId = 'workers') {
  const answer = await line.ask(deleteShareGroupOffsets, 0, { groupId, topics: [{ topicName }] })
  return answer.errorCode === 0 ? errorOf(answer.responses[0]!) : errorOf(answer)
}

test('a group is where the last word about its records was written; before the first it is nowhere', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 2 }])
  const a = await joined(line, 'jobs')
  const id = await line.id('jobs')
  await line.append('jobs', 0, ['x', 'y', 'z'])
  await a.take([[id, 0]])
  expect(await offsets(line)).toEqual(['jobs-0: -1 (-1 left)', 'jobs-1: -1 (-1 left)'])
  await a.say(id, 0, [0, 0, 1], [1, 1, 2])
  expect(await offsets(line)).toEqual(['jobs-0: 0 (2 left)', 'jobs-1: -1 (-1 left)'])
  await a.say(id, 0, [2, 2, 1])
  expect(await offsets(line)).toEqual(['jobs-0: 1 (1 left)', 'jobs-1: -1 (-1 left)'])
  expect(await offsets(line, 'workers', [{ topicName: 'nope', partitions: [0] }])).toEqual(['nope-0: -1 (-1 left)'])
  expect(await offsets(line, 'nobody')).toEqual([])
})

test('a group without members is sent elsewhere, and one that is not yet is made', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 1 }])
  const a = await joined(line, 'jobs')
  const id = await line.id('jobs')
  await line.append('jobs', 0, ['0', '1', '2', '3', '4'])
  expect(await alter(line, 3)).toBe('NON_EMPTY_GROUP')
  await a.take([[id, 0]])
  await a.beat(-1, null)
  await a.close()
  expect(await alter(line, 3)).toBe('NONE')
  expect(await offsets(line)).toEqual(['jobs-0: 3 (2 left)'])
  expect(await alter(line, 3, { partitionIndex: 7 })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await alter(line, 3, { topicName: 'nope' })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await alter(line, 3, { groupId: '' })).toBe('INVALID_GROUP_ID')
  const topics = [{ topicName: 'jobs', partitions: [] }]
  const { responses } = await line.ask(alterShareGroupOffsets, 0, { groupId: 'workers', topics })
  expect(responses).toMatchObject(topics)
  expect(await alter(line, 4, { groupId: 'others' })).toBe('NONE')
  expect(await offsets(line, 'others')).toEqual(['jobs-0: 4 (1 left)'])
  const again = await joined(line, 'jobs')
  expect(await again.take([[id, 0]])).toBe('0: 3-4x1')
})

test('a group is not made by a request in which no topic is that there is', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 1 }])
  const isMade = async (
    topics: { topicName: string; partitions: { partitionIndex: number; startOffset: number }[] }[],
  ) => {
    expect(errorOf(await line.ask(alterShareGroupOffsets, 0, { groupId: 'new', topics }))).toBe('NONE')
    const { results } = await line.ask(deleteGroups, 0, { groupsNames: ['new'] })
    return errorOf(results[0]!)
  }
  expect(await isMade([])).toBe('GROUP_ID_NOT_FOUND')
  expect(await isMade([{ topicName: 'nope', partitions: [{ partitionIndex: 0, startOffset: 1 }] }])).toBe(
    'GROUP_ID_NOT_FOUND',
  )
  expect(await isMade([{ topicName: 'jobs', partitions: [] }])).toBe('NONE')
})

test('who waits for records while the start is moved is told to ask again, and gets them from the new start on', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 1 }])
  const a = await joined(line, 'jobs')
  const id = await line.id('jobs')
  await line.append('jobs', 0, ['0', '1', '2'])
  await a.take([[id, 0]])
  await a.say(id, 0, [0, 2, 1])
  await a.beat(-1, null)
  const waiting = a.take([], { maxWaitMs: 60_000 })
  expect(await alter(line, 1)).toBe('NONE')
  expect(await waiting).toBe('0: NOT_LEADER_OR_FOLLOWER')
  expect(await a.take()).toBe('0: 1-2x1')
})

test('a group forgets a topic, and begins there as if it had never read it', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 1 }])
  const a = await joined(line, 'jobs')
  const id = await line.id('jobs')
  await line.append('jobs', 0, ['x', 'y'])
  await a.take([[id, 0]])
  await a.say(id, 0, [0, 1, 1])
  expect(await remove(line)).toBe('NON_EMPTY_GROUP')
  await a.beat(-1, null)
  expect(await remove(line, 'nope')).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await remove(line)).toBe('NONE')
  expect(await remove(line)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await remove(line, 'jobs', 'nobody')).toBe('GROUP_ID_NOT_FOUND')
  expect(await offsets(line)).toEqual([])
  const again = await joined(line, 'jobs')
  expect(await again.take([[id, 0]])).toBe('0: 0-1x1')
})

test('a share group is described, listed and deleted', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 2 }])
  const a = await joined(line, 'jobs')
  const describe = async (groupId = 'workers') => {
    const { groups } = await line.ask(shareGroupDescribe, 1, {
      groupIds: [groupId],
      includeAuthorizedOperations: false,
    })
    return groups[0]!
  }
  const found = await describe()
  expect([found.groupState, found.groupEpoch, found.assignmentEpoch, found.assignorName]).toEqual([
    'Stable',
    2,
    2,
    'simple',
  ])
  expect(found.members).toHaveLength(1)
  const [member] = found.members
  expect([member!.memberId, member!.memberEpoch, member!.subscribedTopicNames]).toEqual(['a', 2, ['jobs']])
  expect(member!.assignment.topicPartitions.map(({ topicName, partitions }) => [topicName, partitions])).toEqual([
    ['jobs', [0, 1]],
  ])
  const { groups } = await line.ask(listGroups, 5, { statesFilter: ['Stable'], typesFilter: ['share'] })
  expect(groups).toEqual([{ groupId: 'workers', protocolType: 'share', groupState: 'Stable', groupType: 'share' }])
  const remove = async () => errorOf((await line.ask(deleteGroups, 2, { groupsNames: ['workers'] })).results[0]!)
  expect(await remove()).toBe('NON_EMPTY_GROUP')
  await a.beat(-1, null)
  expect((await describe()).groupState).toBe('Empty')
  expect(await remove()).toBe('NONE')
  expect(errorOf(await describe())).toBe('GROUP_ID_NOT_FOUND')
  expect(errorOf(await describe(''))).toBe('INVALID_GROUP_ID')
  expect(await offsets(line)).toEqual([])
})

test('a cluster that has agreed to do without share groups says so (feature share.version)', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 1 }])
  const a = await joined(line, 'jobs')
  const featureUpdates = [{ feature: 'share.version', maxVersionLevel: 0, upgradeType: 2 }]
  expect(errorOf(await line.ask(updateFeatures, 2, { timeoutMs: 1000, validateOnly: false, featureUpdates }))).toBe(
    'NONE',
  )
  const groups = [{ groupId: 'workers', topics: null }]
  const unserved = [
    await a.beat(0, ['jobs']),
    await a.fetch(),
    await a.acknowledge([]),
    (await line.ask(describeShareGroupOffsets, 1, { groups })).groups[0]!,
    (await line.ask(shareGroupDescribe, 1, { groupIds: ['workers'], includeAuthorizedOperations: false })).groups[0]!,
  ]
  expect(unserved.map(errorOf)).toEqual(unserved.map(() => 'UNSUPPORTED_VERSION'))
  expect([await alter(line, 0), await remove(line)]).toEqual(['UNSUPPORTED_VERSION', 'UNSUPPORTED_VERSION'])
})
