// OffsetCommit, from the wire and back.

import { expect, test } from 'vitest'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { offsetCommitApi } from '../../src/api/08-offset-commit.ts'
import { Desk, noSuchId, orders, refunds, versionsOf } from './asked.ts'

const part = (partitionIndex: number, committedOffset = 5) => ({
  partitionIndex,
  committedOffset,
  committedLeaderEpoch: 2,
  committedMetadata: null,
})
const commit = { groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', retentionTimeMs: -1 }

test.each(versionsOf(offsetCommitApi))('v%i: answers stand where the questions stood', async (version) => {
  const desk = await Desk.open()
  const named = (name: string, topicId: string, ...indexes: number[]) => ({
    name: version < 10 ? name : '',
    topicId: version < 10 ? 'A'.repeat(22) : topicId,
    partitions: indexes.map((index) => part(index)),
  })
  const topics = [named('orders', orders.id, 1, 9, 0, -1), named('nix', noSuchId, 0), named('refunds', refunds.id, 0)]
  const answer = await desk.ask(offsetCommitApi, offsetCommit, version, { ...commit, topics })
  const codes = answer.topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  expect(codes).toEqual([[0, 3, 0, 3], [version < 10 ? 3 : 100], [0]])
  expect(answer.topics.map(({ name, topicId }) => [name, topicId])).toEqual(
    topics.map(({ name, topicId }) => [name, topicId]),
  )
  expect(desk.world.committed('g')).toEqual(['orders-0: 5', 'orders-1: 5', 'refunds-0: 5'])
})

test.each([
  [8, 22],
  [9, 69],
])('v%i: a generation of a group that is not here is answered with %i', async (version, errorCode) => {
  const desk = await Desk.open()
  const topics = [{ name: 'orders', topicId: orders.id, partitions: [part(0)] }]
  const request = { ...commit, generationIdOrMemberEpoch: 1, memberId: 'm', topics }
  const answer = await desk.ask(offsetCommitApi, offsetCommit, version, request)
  expect(answer.topics[0]!.partitions[0]!.errorCode).toBe(errorCode)
})

test.each([8, 9])('v%i: for a share group nobody commits', async (version) => {
  const desk = await Desk.open()
  await desk.world.groups.share.alterStarts('g', [], true)
  const topics = [{ name: 'orders', topicId: orders.id, partitions: [part(0)] }]
  const request = { ...commit, generationIdOrMemberEpoch: 1, memberId: 'm', topics }
  const answer = await desk.ask(offsetCommitApi, offsetCommit, version, request)
  expect(answer.topics[0]!.partitions[0]!.errorCode).toBe(69)
})

test('v2 to v4 may ask for an expiry of their own', async () => {
  const desk = await Desk.open()
  const topics = [{ name: 'orders', topicId: orders.id, partitions: [part(0)] }]
  await desk.ask(offsetCommitApi, offsetCommit, 4, { ...commit, retentionTimeMs: 60_000, topics })
  await desk.world.clock.pass(600_000)
  expect(desk.world.committed('g')).toEqual([])
})
