// Share sessions over several partitions, how much of a batch is handed out at once, and what transactions leave for a group
// that reads what is committed.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import { shareGroupHeartbeat } from '../../../protocol/messages/76-share-group-heartbeat.ts'
import { describeShareGroupOffsets } from '../../../protocol/messages/90-describe-share-group-offsets.ts'
import { batchOf } from '../../wire-client.ts'
import { pause, type Side } from '../side.ts'
import { allCoordinators } from './coordinators.ts'
import { coordinatorOf } from './groups.ts'
import { acknowledge, beatBody, earliest, fetch, ready, topicsOf } from './share-groups.ts'
import { Producer } from './transactions.ts'

const unknownId = 'QQQQQQQQQQQQQQQQQQQQQg'

async function append(side: Side, topic: string, index: number, count: number): Promise<void> {
  const records = batchOf(Array.from({ length: count }, (_, i) => ({ key: 'k', value: `v${i}`, timestamp: side.base })))
  const topicData = [{ name: topic, partitionData: [{ index, records }] }]
  await side.quiet(produce, 9, { acks: -1, timeoutMs: 5000, topicData })
}

/** Until the member has as many partitions. */
async function assigned(side: Side, groupId: string, topics: string[], count: number): Promise<void> {
  await ready(side, groupId, 'a', topics[0]!)
  for (let tries = 0; tries < 100; tries++) {
    const { assignment } = await side.quiet(shareGroupHeartbeat, 1, beatBody(groupId, 'a', 0, topics))
    if (assignment?.topicPartitions.reduce((sum, { partitions }) => sum + partitions.length, 0) === count) return
    await pause(100)
  }
  throw new Error(`${side.bootstrap}: ${groupId} does not get ${count} partitions`)
}

export async function shareSessionsScenario(side: Side): Promise<void> {
  const groupId = 'ss'
  const [one, two] = [await side.topic('ss-1', 2), await side.topic('ss-2', 1)]
  await coordinatorOf(side, groupId)
  await earliest(side, groupId)
  for (const [topic, index, count] of [
    ['ss-1', 0, 4],
    ['ss-1', 0, 3],
    ['ss-1', 1, 5],
    ['ss-2', 0, 2],
  ] as const)
    await append(side, topic, index, count)
  await assigned(side, groupId, ['ss-1', 'ss-2'], 3)
  const of = (id: string, ...indexes: number[]) => [
    { topicId: id, partitions: indexes.map((partitionIndex) => ({ partitionIndex, acknowledgementBatches: [] })) },
  ]
  let epoch = 0
  const ask = (label: string, topics: ReturnType<typeof of>, more: Parameters<typeof fetch>[4] = {}) =>
    fetch(side, label, topics as never, { groupId, epoch: epoch++ }, more)
  await ask('few bytes', of(one, 0), { maxBytes: 1 })
  await ask('no bytes', [], { maxBytes: 0 })
  await ask('negative bytes', [], { maxBytes: -1 })
  await ask('no wait', [], { maxWaitMs: 0, maxRecords: 1 })
  await ask('a partition joins', of(one, 1), { maxRecords: 2, batchSize: 2 })
  await ask('small batches', of(two, 0), { batchSize: 1 })
  await ask('batches of 0', of(one, 0), { batchSize: 0 })
  await ask('one is forgotten', [], { forgottenTopicsData: [{ topicId: one, partitions: [0] }] })
  await append(side, 'ss-1', 0, 2)
  await append(side, 'ss-1', 1, 2)
  await ask('of the other', [])
  await ask('what never was is forgotten', [], { forgottenTopicsData: [{ topicId: unknownId, partitions: [0] }] })
  await ask('it comes back', of(one, 0), {})
  await ask('asked and forgotten', of(two, 0), { forgottenTopicsData: [{ topicId: two, partitions: [0] }] })
  await append(side, 'ss-2', 0, 1)
  await ask('so it is gone or not', [])
  await ask('one twice', [...of(two, 0), ...of(two, 0, 0)])
  await ask('nothing comes', [], { minBytes: 100_000 })
  await ask('an unknown partition', of(one, 7))
  await ask('it is told each time', [])
  await ask('it is forgotten', [], { forgottenTopicsData: [{ topicId: one, partitions: [7] }] })
  const said = topicsOf(one, 0, [[0, 1, 1]])
  await ask('words on the way', said as never)
  await ask('bad words on the way', topicsOf(one, 0, [[0, 99, 1]]) as never)
  await ask('words about what is not in the session', topicsOf(two, 0, [[0, 0, 1]]) as never, {
    forgottenTopicsData: [{ topicId: two, partitions: [0] }],
  })
  await fetch(side, 'begins anew with words', said, { groupId, epoch: 0 })
  epoch = 0
  await ask('begins anew', [...of(one, 0, 1), ...of(two, 0)])
  await fetch(side, 'an old epoch', [], { groupId, epoch: 7 })
  await fetch(side, 'ends', topicsOf(one, 0, [[2, 2, 1]]), { groupId, epoch: -1 })
  await fetch(side, 'another member', topicsOf(one, 0, []), { groupId, memberId: 'b' })
  await acknowledge(side, 'ends by its words', topicsOf(one, 0, [[3, 3, 1]]), { groupId, memberId: 'b', epoch: -1 })
  await acknowledge(side, 'has ended', topicsOf(one, 0, [[3, 3, 1]]), { groupId, memberId: 'b', epoch: 2 })
  const groups = [{ groupId, topics: null }]
  await side.ask('how far it is', describeShareGroupOffsets, 1, { groups })
}

export async function shareDeliveriesScenario(side: Side): Promise<void> {
  await allCoordinators(side)
  await handedOutAgain(side)
  await committedOnly(side)
}

/** KIP-932: a batch that fails again and again is handed out in ever smaller parts. */
async function handedOutAgain(side: Side): Promise<void> {
  for (const [groupId, mode] of [
    ['sd-batches', 0],
    ['sd-strict', 1],
  ] as const) {
    const id = await side.topic(groupId, 1)
    await coordinatorOf(side, groupId)
    await earliest(side, groupId)
    await append(side, groupId, 0, 10)
    await append(side, groupId, 0, 3)
    await ready(side, groupId, 'a', groupId)
    for (let round = 0; round < 24; round++) {
      const more = { shareAcquireMode: mode, maxRecords: 20, maxWaitMs: 100 }
      const label = `round ${round}, mode ${mode}`
      await fetch(side, label, topicsOf(id, 0, []), { groupId, memberId: `m${round}` }, more)
      await fetch(side, `ends: ${label}`, [], { groupId, memberId: `m${round}`, epoch: -1 }, { maxWaitMs: 0 })
    }
    await side.ask(`how far: ${groupId}`, describeShareGroupOffsets, 1, { groups: [{ groupId, topics: null }] })
  }
}

async function committedOnly(side: Side): Promise<void> {
  for (const level of ['read_committed', 'read_uncommitted']) {
    const groupId = `sd-${level}`
    const id = await side.topic(groupId, 1)
    await coordinatorOf(side, groupId)
    await earliest(side, groupId)
    const configs = [{ name: 'share.isolation.level', configOperation: 0, value: level }]
    const resources = [{ resourceType: 32, resourceName: groupId, configs }]
    await side.quiet(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    await side.settle()
    const writer = await Producer.open(side, groupId)
    const write = async (sequence: number, committed: boolean) => {
      await writer.add(`${level}`, 3, { [groupId]: [0] })
      await writer.send(`${level} ${sequence}`, 9, groupId, sequence)
      await writer.send(`${level} ${sequence + 1}`, 9, groupId, sequence + 1)
      await writer.end(`${level} ${committed}`, 3, committed)
      await writer.rest(`${level} ${committed}`)
    }
    await append(side, groupId, 0, 1)
    await write(0, false)
    await append(side, groupId, 0, 1)
    await write(2, true)
    await writer.add(`${level}, open`, 3, { [groupId]: [0] })
    await writer.send(`${level}, open`, 9, groupId, 4)
    await append(side, groupId, 0, 2)
    await ready(side, groupId, 'a', groupId)
    let epoch = 0
    for (const label of ['first', 'second', 'third'])
      await fetch(side, `${level}: ${label}`, topicsOf(id, 0, []), { groupId, epoch: epoch++ }, { maxRecords: 2 })
    await writer.end(`${level}, open`, 3, true)
    await writer.rest(`${level}, open`)
    for (const label of ['fourth', 'fifth', 'sixth'])
      await fetch(side, `${level}: ${label}`, [], { groupId, epoch: epoch++ }, { maxRecords: 2 })
    await fetch(side, `${level}: ends`, topicsOf(id, 0, [[0, 0, 1]]), { groupId, epoch: -1 })
    await side.ask(`how far: ${level}`, describeShareGroupOffsets, 1, { groups: [{ groupId, topics: null }] })
  }
}
