// OffsetDelete, from the wire and back.

import { expect, test } from 'vitest'
import { offsetDelete } from '../../protocol/messages/47-offset-delete.ts'
import { offsetDeleteApi } from '../../src/api/47-offset-delete.ts'
import { groupId } from '../group/world.ts'
import { Desk } from './asked.ts'

const named = (name: string, ...indexes: number[]) => ({
  name,
  partitions: indexes.map((partitionIndex) => ({ partitionIndex })),
})

test('answers stand where the questions stood', async () => {
  const desk = await Desk.open()
  const [a] = await desk.world.stable(1)
  await desk.world.commit(a!.memberId, 1, 4, 0, 'refunds')
  await desk.world.commit(a!.memberId, 1, 4, 0, 'orders')
  const topics = [named('orders', 9, 0), named('nix', 0), named('refunds', 0)]
  const answer = await desk.ask(offsetDeleteApi, offsetDelete, 0, { groupId, topics })
  const codes = answer.topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  expect([answer.errorCode, codes]).toEqual([0, [[3, 86], [3], [0]]])
  expect(desk.world.committed()).toEqual(['orders-0: 4'])
})

test.each([
  ['', 24],
  ['nobody', 69],
])('the group %j: error %i and no topics', async (id, errorCode) => {
  const desk = await Desk.open()
  const answer = await desk.ask(offsetDeleteApi, offsetDelete, 0, { groupId: id, topics: [named('orders', 0)] })
  expect(answer).toMatchObject({ errorCode, topics: [] })
})
