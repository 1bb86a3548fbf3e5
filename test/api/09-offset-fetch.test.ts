// OffsetFetch, from the wire and back.

import { beforeEach, expect, test } from 'vitest'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { offsetFetchApi } from '../../src/api/09-offset-fetch.ts'
import { Groups } from '../../src/group/coordinator.ts'
import { Desk, noSuchId, orders, refunds, versionsOf } from './asked.ts'

const committed = { partitionIndex: 1, committedOffset: 42, committedLeaderEpoch: 3, metadata: 'm', errorCode: 0 }
const none = { partitionIndex: 0, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 }
const all = versionsOf(offsetFetchApi)
const zero = 'A'.repeat(22)

let desk: Desk
beforeEach(async () => {
  desk = await Desk.open()
  const of = { topicId: null, partition: 1, offset: 42, leaderEpoch: 3, metadata: 'm' }
  const commits = [
    { ...of, topic: 'orders', topicId: orders.id },
    { ...of, topic: 'gone' },
  ]
  await desk.world.groups.offsets.commit({
    groupId: 'g',
    generation: -1,
    memberId: '',
    instanceId: null,
    retentionMs: null,
    commits,
  })
})

type Asked = { name: string; topicId: string; partitionIndexes: number[] }

/** One group's answer, wherever the version keeps it. */
async function fetch(version: number, groupId: string, topics: Asked[] | null) {
  const request = {
    groupId,
    topics,
    groups: [{ groupId, memberId: null, memberEpoch: -1, topics }],
    requireStable: true,
  }
  const answer = await desk.ask(offsetFetchApi, offsetFetch, version, request)
  return version < 8 ? { ...answer, topics: answer.topics.map((of) => ({ ...of, topicId: zero })) } : answer.groups[0]!
}

const asked = (version: number, name: string, topicId: string, ...partitionIndexes: number[]): Asked => ({
  name: version < 10 ? name : '',
  topicId: version < 10 ? zero : topicId,
  partitionIndexes,
})

test.each(all)('v%i: what was committed, and -1 for what was not', async (version) => {
  const topics = [asked(version, 'orders', orders.id, 0, 1), asked(version, 'refunds', refunds.id, 0)]
  const answer = await fetch(version, 'g', topics)
  const epoch = version < 5 ? -1 : 3
  expect(answer.errorCode).toBe(0)
  expect(answer.topics.map(({ partitions }) => partitions)).toEqual([
    [none, { ...committed, committedLeaderEpoch: epoch }],
    [none],
  ])
})

test.each(all.filter((version) => version >= 2))(
  'v%i: null topics are all, by id only those that are here',
  async (version) => {
    const answer = await fetch(version, 'g', null)
    const names = version < 10 ? ['orders', 'gone'] : ['']
    expect(answer.topics.map(({ name }) => name)).toEqual(names)
    expect(answer.topics[0]!.topicId).toBe(version < 10 ? zero : orders.id)
  },
)

test('v10: a topic id that is not here is UNKNOWN_TOPIC_ID, partition by partition', async () => {
  const answer = await fetch(10, 'g', [{ name: '', topicId: noSuchId, partitionIndexes: [0, 1] }])
  const unknown = { ...none, errorCode: 100 }
  expect(answer.topics[0]!.partitions).toEqual([unknown, { ...unknown, partitionIndex: 1 }])
})

test.each(all)('v%i: while the log is read, the error stands where the version has a place for it', async (version) => {
  desk.world.groups = new Groups(desk.world)
  const answer = await fetch(version, 'g', [asked(version, 'orders', orders.id, 0)])
  const codes = answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  expect([answer.errorCode, ...codes]).toEqual(version === 1 ? [0, 14] : [14])
})

test('v8: many groups at once, each with its answer', async () => {
  const groups = ['g', 'nobody'].map((groupId) => ({ groupId, memberId: null, memberEpoch: -1, topics: null }))
  const answer = await desk.ask(offsetFetchApi, offsetFetch, 8, { groups, requireStable: false })
  expect(answer.groups.map(({ groupId, errorCode, topics }) => [groupId, errorCode, topics.length])).toEqual([
    ['g', 0, 2],
    ['nobody', 0, 0],
  ])
})
