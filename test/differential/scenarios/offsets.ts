// ListOffsets and OffsetForLeaderEpoch: places in a log by time, by name and by epoch.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { listOffsets } from '../../../protocol/messages/02-list-offsets.ts'
import { deleteRecords } from '../../../protocol/messages/21-delete-records.ts'
import { offsetForLeaderEpoch } from '../../../protocol/messages/23-offset-for-leader-epoch.ts'
import type { BatchOptions } from '../../../protocol/records/builder.ts'
import { batchOf } from '../../wire-client.ts'
import type { Side } from '../side.ts'

const timeoutMs = 5000

async function append(side: Side, topic: string, times: number[], options: BatchOptions = {}): Promise<void> {
  const records = batchOf(
    times.map((time) => ({ key: 'k', value: 'v', timestamp: time < 0 ? time : side.base + time })),
    options,
  )
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  await side.quiet(produce, 9, { acks: -1, timeoutMs, topicData })
}

export async function listOffsetsScenario(side: Side): Promise<void> {
  await side.topic('lo', 2)
  await side.topic('lo-cut', 1)
  await side.topic('lo-packed', 1)
  await side.topic('lo-append', 1, { 'message.timestamp.type': 'LogAppendTime' })
  await side.topic('lo-none', 1)
  await append(side, 'lo', [10, 20, 30])
  await append(side, 'lo', [50, 40, 45])
  await append(side, 'lo', [5, 60])
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const from = { gzip: 0, snappy: 100, lz4: 200, zstd: 300 }[codec]
    await append(side, 'lo-packed', [from + 10, from + 30, from + 20], { codec })
  }
  await append(side, 'lo-append', [10, 20])
  await append(side, 'lo-none', [-1, -1])
  await append(side, 'lo-cut', [10, 20, 30])
  await append(side, 'lo-cut', [40, 35])
  await side.quiet(deleteRecords, 2, {
    topics: [{ name: 'lo-cut', partitions: [{ partitionIndex: 0, offset: 4 }] }],
    timeoutMs,
  })
  type One = { partitionIndex: number; timestamp: number; currentLeaderEpoch?: number }
  const ask = (label: string, topics: { name: string; partitions: One[] }[], isolationLevel = 0, replicaId = -1) =>
    side.each(label, listOffsets, { replicaId, isolationLevel, topics, timeoutMs })
  const at = (name: string, timestamp: number, partitionIndex = 0) => ({
    name,
    partitions: [{ partitionIndex, timestamp }],
  })
  const names = [-1, -2, -3, -4, -5, -6, -7, -8, -100]
  for (const name of ['lo', 'lo-cut', 'lo-packed', 'lo-append', 'lo-none']) {
    for (const timestamp of names) await ask(`${name} at ${timestamp}`, [at(name, timestamp)])
    const times = [
      -10, 0, 5, 6, 10, 11, 20, 25, 30, 31, 35, 40, 41, 45, 50, 51, 60, 61, 110, 111, 230, 231, 320, 330, 331,
    ]
    for (const time of times) await ask(`${name} at base + ${time}`, [at(name, side.base + time)])
    await ask(`${name} at 0`, [at(name, 0)])
    await ask(`${name} in a far future`, [at(name, 2 ** 52)])
  }
  for (const timestamp of [...names, 0, side.base])
    await ask(`empty at ${timestamp > 0 ? 'base' : timestamp}`, [at('lo', timestamp, 1)])
  for (const isolation of [1, 2, -1]) {
    for (const timestamp of [-1, -2, -3, side.base + 40]) {
      await ask(`isolation ${isolation} at ${timestamp > 0 ? 'a time' : timestamp}`, [at('lo', timestamp)], isolation)
    }
  }
  for (const replica of [-2, 0, 1, 9]) await ask(`replica ${replica}`, [at('lo', -1)], 0, replica)
  for (const currentLeaderEpoch of [-2, -1, 0, 1, 99]) {
    for (const timestamp of [-1, -2, side.base]) {
      await ask(`epoch ${currentLeaderEpoch} at ${timestamp > 0 ? 'base' : timestamp}`, [
        { name: 'lo', partitions: [{ partitionIndex: 0, timestamp, currentLeaderEpoch }] },
      ])
    }
  }
  await ask('unknown topic', [at('lo-unknown', -1)])
  await ask('unknown topic, unknown name of a place', [at('lo-unknown', -99)])
  await ask('bad name', [at('a/b', -1)])
  await ask('unknown partitions', [
    { name: 'lo', partitions: [9, 0, -1, 1].map((partitionIndex) => ({ partitionIndex, timestamp: -1 })) },
  ])
  await ask('one partition twice', [
    { name: 'lo', partitions: [0, 1, 0].map((partitionIndex) => ({ partitionIndex, timestamp: -1 })) },
  ])
  await ask('one topic twice', [at('lo', -1), at('lo', -2)])
  await ask('several', [at('lo-packed', -1), at('lo-unknown', -1), at('lo', -2, 1), at('lo-cut', -2)])
  await ask('nothing', [])
  await ask('no partitions', [{ name: 'lo', partitions: [] }])
}

export async function offsetForLeaderEpochScenario(side: Side): Promise<void> {
  await side.topic('le', 2)
  await side.topic('le-cut', 1)
  for (const name of ['le', 'le-cut']) await append(side, name, [1, 2, 3])
  await side.quiet(deleteRecords, 2, {
    topics: [{ name: 'le-cut', partitions: [{ partitionIndex: 0, offset: 3 }] }],
    timeoutMs,
  })
  type One = { partition: number; currentLeaderEpoch: number; leaderEpoch: number }
  const ask = (label: string, topics: { topic: string; partitions: One[] }[], replicaId = -1) =>
    side.each(label, offsetForLeaderEpoch, { replicaId, topics })
  const one = (partition: number, leaderEpoch: number, currentLeaderEpoch = -1): One => ({
    partition,
    leaderEpoch,
    currentLeaderEpoch,
  })
  for (const leaderEpoch of [-2, -1, 0, 1, 99, 2 ** 31 - 1]) {
    for (const current of [-2, -1, 0, 1]) {
      const epochs = `epoch ${leaderEpoch}, current ${current}`
      await ask(epochs, [{ topic: 'le', partitions: [one(0, leaderEpoch, current)] }])
      await ask(`empty, ${epochs}`, [{ topic: 'le', partitions: [one(1, leaderEpoch, current)] }])
      await ask(`cut, ${epochs}`, [{ topic: 'le-cut', partitions: [one(0, leaderEpoch, current)] }])
    }
  }
  for (const replica of [-2, 0, 1]) await ask(`replica ${replica}`, [{ topic: 'le', partitions: [one(0, 0)] }], replica)
  await ask('unknown', [
    { topic: 'le-none', partitions: [one(0, 0)] },
    { topic: 'le', partitions: [one(1, 0), one(9, 0), one(0, 0), one(-1, 0)] },
    { topic: 'a/b', partitions: [one(0, 0)] },
  ])
  await ask('twice', [{ topic: 'le', partitions: [one(0, 0), one(0, 1)] }])
  await ask('nothing', [])
}
