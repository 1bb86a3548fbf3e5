// OffsetForLeaderEpoch: where the history of an epoch ends.

import { describe, expect, test } from 'vitest'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import { offsetForLeaderEpoch } from '../../protocol/messages/23-offset-for-leader-epoch.ts'
import { errorOf, Line } from './line.ts'

async function filled(): Promise<Line> {
  const line = await Line.open([{ name: 't', partitions: 2 }])
  await line.append('t', 0, ['a', 'b', 'c'])
  return line
}

/** [epoch, end], or the error. */
async function end(line: Line, leaderEpoch: number, { current = -1, index = 0, topic = 't', version = 4 } = {}) {
  const topics = [{ topic, partitions: [{ partition: index, currentLeaderEpoch: current, leaderEpoch }] }]
  const answer = await line.ask(offsetForLeaderEpoch, version, { replicaId: -1, topics })
  const one = answer.topics[0]!.partitions[0]!
  return one.errorCode === 0 ? [one.leaderEpoch, one.endOffset] : errorOf(one)
}

describe.each([2, 3, 4])('v%i', (version) => {
  test('the epoch of the leader ends where the log ends', async () => {
    await using line = await filled()
    expect(await end(line, 0, { version })).toEqual([0, 3])
    expect(await end(line, 0, { version, index: 1 })).toEqual([0, 0])
  })

  test('of an epoch that is to come nothing is known, nor of none', async () => {
    await using line = await filled()
    for (const epoch of [-1, 1, 99]) {
      for (const index of [0, 1]) expect(await end(line, epoch, { version, index })).toEqual([-1, -1])
    }
  })
})

test('before the first epoch there was nothing: it ends where the log begins', async () => {
  await using line = await filled()
  expect(await end(line, -2)).toEqual([-2, 0])
  await line.ask(deleteRecords, 2, {
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 3 }] }],
    timeoutMs: 1000,
  })
  expect([await end(line, -2), await end(line, 0)]).toEqual([
    [-2, 3],
    [0, 3],
  ])
})

test('a client that knows another leader is told so', async () => {
  await using line = await filled()
  expect(await end(line, 0, { current: 0 })).toEqual([0, 3])
  expect(await end(line, 0, { current: 1 })).toBe('UNKNOWN_LEADER_EPOCH')
  expect(await end(line, 0, { current: -2 })).toBe('FENCED_LEADER_EPOCH')
})

test('what is not there is unknown', async () => {
  await using line = await filled()
  expect([
    await end(line, 0, { topic: 'none' }),
    await end(line, 0, { index: 9 }),
    await end(line, 0, { index: -1 }),
  ]).toEqual(Array(3).fill('UNKNOWN_TOPIC_OR_PARTITION'))
})
