// ListOffsets: places of a log by time and by name, inside packed batches too.

import { describe, expect, test } from 'vitest'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import type { CodecName } from '../../protocol/records/compression.ts'
import { errorOf, Line } from './line.ts'

const at = (...times: number[]) => times.map((timestamp) => ({ value: 'v', timestamp }))

/** [error, or offset, timestamp and epoch]. */
async function find(
  line: Line,
  topic: string,
  timestamp: number,
  { version = 11, isolationLevel = 0, epoch = -1, index = 0 } = {},
) {
  const partitions = [{ partitionIndex: index, timestamp, currentLeaderEpoch: epoch }]
  const body = { replicaId: -1, isolationLevel, topics: [{ name: topic, partitions }], timeoutMs: 1000 }
  const one = (await line.ask(listOffsets, version, body)).topics[0]!.partitions[0]!
  return one.errorCode === 0 ? [one.offset, one.timestamp, one.leaderEpoch] : errorOf(one)
}

async function filled(codec: CodecName = 'none'): Promise<Line> {
  const line = await Line.open([{ name: 't', partitions: 2 }])
  await line.append('t', 0, at(1010, 1020, 1030), { codec })
  await line.append('t', 0, at(1050, 1040, 1045), { codec })
  await line.append('t', 0, at(1005, 1060), { codec })
  return line
}

describe('by time', () => {
  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    '%s: the first record that is not older',
    async (codec) => {
      await using line = await filled(codec)
      const wanted: [time: number, found: [number, number]][] = [
        [0, [0, 1010]],
        [1010, [0, 1010]],
        [1011, [1, 1020]],
        [1030, [2, 1030]],
        [1031, [3, 1050]],
        [1045, [3, 1050]],
        [1051, [7, 1060]],
        [1060, [7, 1060]],
        [1061, [-1, -1]],
      ]
      for (const [time, [offset, timestamp]] of wanted) {
        expect(await find(line, 't', time), `${time}`).toEqual([offset, timestamp, offset === -1 ? -1 : 0])
      }
    },
  )

  test('what is deleted is not found', async () => {
    await using line = await filled()
    await line.ask(deleteRecords, 2, {
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 4 }] }],
      timeoutMs: 1000,
    })
    expect(await find(line, 't', 0)).toEqual([4, 1040, 0])
  })

  test('an empty partition has no time', async () => {
    await using line = await filled()
    expect(await find(line, 't', 0, { index: 1 })).toEqual([-1, -1, -1])
  })
})

describe('by name', () => {
  test('latest, earliest, the largest time, the local start; nothing lies in another tier', async () => {
    await using line = await filled()
    expect(await find(line, 't', -1)).toEqual([8, -1, 0])
    expect(await find(line, 't', -2)).toEqual([0, -1, 0])
    expect(await find(line, 't', -3)).toEqual([7, 1060, 0])
    expect(await find(line, 't', -4)).toEqual([0, -1, 0])
    expect(await find(line, 't', -5)).toEqual([-1, -1, -1])
    expect(await find(line, 't', -6)).toEqual([-1, -1, -1])
  })

  test('an empty partition begins and ends at 0', async () => {
    await using line = await filled()
    for (const [name, found] of [
      [-1, [0, -1, 0]],
      [-2, [0, -1, 0]],
      [-3, [-1, -1, -1]],
    ] as const) {
      expect(await find(line, 't', name, { index: 1 })).toEqual(found)
    }
  })

  test('earliest is the log start', async () => {
    await using line = await filled()
    await line.ask(deleteRecords, 2, {
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 4 }] }],
      timeoutMs: 1000,
    })
    for (const name of [-2, -4]) expect(await find(line, 't', name)).toEqual([4, -1, 0])
  })

  test('the largest time is that of what is left, wherever the log was cut', async () => {
    await using line = await filled()
    const cutAt = (offset: number) =>
      line.ask(deleteRecords, 2, {
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }],
        timeoutMs: 1000,
      })
    await line.append('t', 0, at(1001, 1002))
    expect(await find(line, 't', -3)).toEqual([7, 1060, 0])
    await cutAt(8)
    expect(await find(line, 't', -3)).toEqual([9, 1002, 0])
    await line.append('t', 0, at(1009, 1007, 1008))
    await cutAt(11)
    expect(await find(line, 't', -3)).toEqual([12, 1008, 0])
    await cutAt(13)
    expect(await find(line, 't', -3)).toEqual([-1, -1, -1])
  })

  test.each([
    [-3, 7],
    [-4, 8],
    [-5, 9],
    [-6, 11],
  ])('%i is a name from version %i on', async (name, since) => {
    await using line = await filled()
    expect(await find(line, 't', name, { version: since - 1 })).toBe('UNSUPPORTED_VERSION')
    expect(await find(line, 't', name, { version: since })).not.toBe('UNSUPPORTED_VERSION')
  })

  test('other negative numbers are no names, whether the topic is there or not', async () => {
    await using line = await filled()
    for (const name of [-7, -100]) {
      expect(await find(line, 't', name)).toBe('UNSUPPORTED_VERSION')
      expect(await find(line, 'none', name)).toBe('UNSUPPORTED_VERSION')
    }
  })
})

test('readers of what is committed see the same end while there are no transactions', async () => {
  await using line = await filled()
  expect(await find(line, 't', -1, { isolationLevel: 1 })).toEqual([8, -1, 0])
})

test('a client that knows another leader is told so', async () => {
  await using line = await filled()
  expect(await find(line, 't', -1, { epoch: 1 })).toBe('UNKNOWN_LEADER_EPOCH')
  expect(await find(line, 't', -1, { epoch: -2 })).toBe('FENCED_LEADER_EPOCH')
  expect(await find(line, 't', -1, { epoch: 0 })).toEqual([8, -1, 0])
})

test('unknown topics and partitions are named in their places', async () => {
  await using line = await filled()
  const partitions = [9, 0, -1].map((partitionIndex) => ({ partitionIndex, timestamp: -1 }))
  const topics = [
    { name: 'none', partitions: [{ partitionIndex: 0, timestamp: -1 }] },
    { name: 't', partitions },
  ]
  const answer = await line.ask(listOffsets, 5, { replicaId: -1, isolationLevel: 0, topics })
  expect(answer.topics.map(({ name, partitions: of }) => [name, of.map(errorOf)])).toEqual([
    ['none', ['UNKNOWN_TOPIC_OR_PARTITION']],
    ['t', ['UNKNOWN_TOPIC_OR_PARTITION', 'NONE', 'UNKNOWN_TOPIC_OR_PARTITION']],
  ])
})

test('a partition that is named twice is refused, and the others are answered', async () => {
  await using line = await filled()
  const partitions = [0, 1, 0].map((partitionIndex) => ({ partitionIndex, timestamp: -1 }))
  const answer = await line.ask(listOffsets, 5, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: 't', partitions }],
  })
  expect(answer.topics[0]!.partitions.map(errorOf)).toEqual(['INVALID_REQUEST', 'NONE', 'INVALID_REQUEST'])
})
