// FindCoordinator: keys of every kind, good and not; and what can be asked about offsets beside a group's own members:
// places twice, nothing at all, topics that nobody knows, offsets that no log has, offsets of an open transaction.

import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../../protocol/messages/09-offset-fetch.ts'
import { findCoordinator } from '../../../protocol/messages/10-find-coordinator.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { addOffsetsToTxn } from '../../../protocol/messages/25-add-offsets-to-txn.ts'
import { endTxn } from '../../../protocol/messages/26-end-txn.ts'
import { txnOffsetCommit } from '../../../protocol/messages/28-txn-offset-commit.ts'
import { deleteGroups } from '../../../protocol/messages/42-delete-groups.ts'
import { offsetDelete } from '../../../protocol/messages/47-offset-delete.ts'
import { zeroUuid } from '../../../protocol/schema.ts'
import { pause, type Side } from '../side.ts'
import { coordinatorOf } from './groups.ts'
import { Producer } from './transactions.ts'

const unknownId = 'abcdefghijklmnopqrstuQ'

/** Kafka makes the topics of its coordinators when they are first looked for. */
export async function allCoordinators(side: Side): Promise<void> {
  await coordinatorOf(side, 'fc')
  for (const [keyType, key] of [
    [1, 'fc'],
    [2, `fc:${unknownId}:0`],
  ] as const) {
    for (let tries = 0; tries < 200; tries++) {
      const { coordinators } = await side.quiet(findCoordinator, 6, { keyType, coordinatorKeys: [key] })
      if (coordinators[0]!.errorCode === 0) break
      await pause(50)
    }
  }
}

export async function coordinatorsScenario(side: Side): Promise<void> {
  await allCoordinators(side)
  const keys = ['fc', '', ' ', 'é', 'x'.repeat(300), `fc:${unknownId}:0`, `fc:${unknownId}:-1`, 'a:b:c', '::']
  for (const keyType of [-1, 0, 1, 2, 3, 127]) {
    for (const key of keys)
      await side.each(`type ${keyType}, «${key.slice(0, 40)}»`, findCoordinator, (version) => {
        if (version >= 4) return { keyType, coordinatorKeys: [key] }
        return version > 0 ? { keyType, key } : keyType === 0 ? { key } : undefined
      })
    const several = (label: string, ...coordinatorKeys: string[]) =>
      side.each(`type ${keyType}, ${label}`, findCoordinator, (version) =>
        version >= 4 ? { keyType, coordinatorKeys } : undefined,
      )
    await several('none')
    await several('several', `fc:${unknownId}:0`, 'fc', 'fc', '')
  }
}

type Place = { index: number; offset?: number; epoch?: number; metadata?: string | null }

export async function committedOffsetsScenario(side: Side): Promise<void> {
  const topicId = await side.topic('co', 2)
  await coordinatorOf(side, 'co')
  const idOf = (name: string) => (name === 'co' ? topicId : name === '' ? zeroUuid : unknownId)
  const commit = (label: string, groupId: string, topics: [name: string, ...Place[]][], retentionTimeMs = -1) =>
    side.each(label, offsetCommit, (version) => {
      if (retentionTimeMs !== -1 && version > 4) return undefined
      const named = topics.map(([name, ...places]) => ({
        name: version >= 10 ? '' : name,
        topicId: version >= 10 ? idOf(name) : zeroUuid,
        partitions: places.map(({ index, offset = 3, epoch = -1, metadata = '' }) => ({
          partitionIndex: index,
          committedOffset: offset,
          ...(version >= 6 ? { committedLeaderEpoch: epoch } : {}),
          committedMetadata: metadata,
        })),
      }))
      return { groupId, generationIdOrMemberEpoch: -1, memberId: '', retentionTimeMs, topics: named }
    })
  const fetch = (label: string, groupIds: string[], topics: [name: string, ...number[]][] | null) =>
    side.each(label, offsetFetch, (version) => {
      if (topics === null && version < 2) return undefined
      const named =
        topics?.map(([name, ...partitionIndexes]) =>
          version >= 10 ? { topicId: idOf(name), partitionIndexes } : { name, partitionIndexes },
        ) ?? null
      const requireStable = version >= 7
      if (version >= 8)
        return { groups: groupIds.map((groupId) => ({ groupId, topics: named as never })), requireStable }
      return groupIds.length === 1 ? { groupId: groupIds[0]!, topics: named as never, requireStable } : undefined
    })
  const there = (label: string, id: string) =>
    side.ask(label, describeGroups, 6, { groups: [id], includeAuthorizedOperations: false })
  for (const groupId of ['co-unknown', '']) {
    await commit(`nothing, of «${groupId}»`, groupId, [])
    await commit(`no partitions, of «${groupId}»`, groupId, [['co']])
    await commit(`unknown ones, of «${groupId}»`, groupId, [
      ['co-none', { index: 0 }],
      ['co', { index: 9 }],
    ])
    await there(`«${groupId}», of which nothing was committed`, groupId)
  }
  for (const metadata of [null, '', 'x'.repeat(4096), 'x'.repeat(4097), 'é'.repeat(4096), '☃'.repeat(4097)])
    await commit(`metadata ${metadata?.length} ${metadata?.slice(0, 1)}`, 'co', [['co', { index: 0, metadata }]])
  await fetch('what is kept of it', ['co'], [['co', 0, 1]])
  for (const offset of [-1, -2, -(2 ** 53), 0, 2 ** 53]) {
    await commit(`offset ${offset}`, 'co', [['co', { index: 0, offset }]])
    await fetch(`after offset ${offset}`, ['co'], null)
  }
  for (const epoch of [-2, 0, 7, 0x7fff_ffff]) {
    await commit(`epoch ${epoch}`, 'co', [['co', { index: 1, epoch }]])
    await fetch(`after epoch ${epoch}`, ['co'], [['co', 1]])
  }
  for (const retention of [-2, 0, 1000]) {
    await commit(`retention ${retention}`, 'co', [['co', { index: 1 }]], retention)
    await fetch(`after retention ${retention}`, ['co'], [['co', 1]])
  }
  await commit('one twice', 'co', [['co', { index: 0, offset: 4 }, { index: 0, offset: 5 }]])
  await fetch('after one twice', ['co'], null)
  await commit('a topic twice', 'co', [
    ['co', { index: 0, offset: 6 }],
    ['co', { index: 1, offset: 7 }],
  ])
  await fetch('after a topic twice', ['co'], [['co', 1, 0]])
  await commit('good and bad', 'co', [
    ['co-none', { index: 0 }],
    ['co', { index: 1, offset: 8 }, { index: 7 }],
  ])
  await commit('no name', 'co', [['', { index: 0 }]])
  await fetch('none', ['co'], [])
  await fetch('no partitions', ['co'], [['co']])
  await fetch('one twice', ['co'], [['co', 0, 0]])
  await fetch(
    'a topic twice',
    ['co'],
    [
      ['co', 0],
      ['co', 1],
    ],
  )
  await fetch(
    'unknown ones',
    ['co'],
    [
      ['co', 9, -1],
      ['co-none', 0],
      ['', 0],
    ],
  )
  await fetch('a group twice', ['co', 'co'], [['co', 0]])
  await fetch('several groups', ['co-none', 'co', ''], null)
  await fetch('no groups', [], null)
  await forgottenOffsets(side)
  await openOffsets(side, topicId, fetch)
}

async function forgottenOffsets(side: Side): Promise<void> {
  const forget = (label: string, groupId: string, topics: [name: string, ...number[]][]) =>
    side.each(`${label}, of «${groupId}»`, offsetDelete, {
      groupId,
      topics: topics.map(([name, ...indexes]) => ({
        name,
        partitions: indexes.map((partitionIndex) => ({ partitionIndex })),
      })),
    })
  for (const groupId of ['co-none', '', 'co']) {
    await forget('nothing', groupId, [])
    await forget('no partitions', groupId, [['co']])
    await forget('unknown ones', groupId, [
      ['co-none', 0],
      ['co', 9],
    ])
    await forget('a bad name', groupId, [['a/b', 0]])
    await forget('one twice', groupId, [['co', 1, 1]])
    await forget('a topic twice', groupId, [
      ['co', 1],
      ['co', 0],
    ])
  }
}

type Fetch = (label: string, groupIds: string[], topics: [name: string, ...number[]][] | null) => Promise<void>

/** KIP-447: what a transaction is about to commit. */
async function openOffsets(side: Side, topicId: string, fetch: Fetch): Promise<void> {
  await allCoordinators(side)
  const groupId = 'co-open'
  const claim = async () => {
    const { name: transactionalId, held } = await Producer.open(side, 'co-tx')
    return { transactionalId, ...held }
  }
  await coordinatorOf(side, groupId)
  for (const committed of [true, false]) {
    const producer = await claim()
    await side.ask('offsets join', addOffsetsToTxn, 3, { ...producer, groupId })
    const commit = (label: string, topics: [name: string, ...Place[]][]) =>
      side.each(`in a transaction: ${label}`, txnOffsetCommit, (version) => ({
        ...producer,
        groupId,
        topics: topics.map(([name, ...places]) => ({
          ...(version >= 6 ? { topicId: name === 'co' ? topicId : unknownId } : { name }),
          partitions: places.map(({ index, offset = 3, metadata = '' }) => ({
            partitionIndex: index,
            committedOffset: offset,
            committedMetadata: metadata,
          })),
        })) as never,
      }))
    await commit('nothing', [])
    await commit('no partitions', [['co']])
    await commit('unknown ones', [
      ['co-none', { index: 0 }],
      ['co', { index: 9 }],
    ])
    await commit('too much metadata', [['co', { index: 0, metadata: 'x'.repeat(4097) }]])
    await commit('one twice', [['co', { index: 0, offset: 4 }, { index: 0, offset: 5 }]])
    await commit('a topic twice', [
      ['co', { index: 0, offset: 6 }],
      ['co', { index: 1, offset: -7 }],
    ])
    await fetch('pending, all', [groupId], null)
    await fetch('pending', [groupId], [['co', 0, 1, 9]])
    await side.each('pending, forgotten', offsetDelete, {
      groupId,
      topics: [{ name: 'co', partitions: [{ partitionIndex: 1 }] }],
    })
    await fetch('pending, after it was forgotten', [groupId], null)
    const plain = { groupId, generationIdOrMemberEpoch: -1, memberId: '', retentionTimeMs: -1 }
    const partitions = [{ partitionIndex: 0, committedOffset: 11, committedMetadata: '' }]
    await side.ask('pending, and a plain one', offsetCommit, 8, { ...plain, topics: [{ name: 'co', partitions }] })
    await fetch('pending, after a plain one', [groupId], null)
    await side.ask('it ends', endTxn, 3, { ...producer, committed })
    for (let tries = 0; tries < 100; tries++) {
      const topics = [{ name: 'co', partitionIndexes: [0] }]
      const { groups } = await side.quiet(offsetFetch, 8, { groups: [{ groupId, topics }], requireStable: true })
      if (groups[0]!.topics[0]!.partitions[0]!.errorCode === 0) break
      await pause(20)
    }
    await fetch(`${committed ? 'committed' : 'taken back'}, all`, [groupId], null)
  }
  const producer = await claim()
  await side.ask('offsets join again', addOffsetsToTxn, 3, { ...producer, groupId: '' })
  await side.ask('offsets join once more', addOffsetsToTxn, 3, { ...producer, groupId })
  const partitions = [{ partitionIndex: 0, committedOffset: 12, committedMetadata: '' }]
  await side.ask('in a transaction: again', txnOffsetCommit, 3, {
    ...producer,
    groupId,
    topics: [{ name: 'co', partitions }] as never,
  })
  await side.ask('its group is deleted', deleteGroups, 2, { groupsNames: [groupId] })
  await fetch('its group is deleted', [groupId], null)
  await side.ask('it ends', endTxn, 3, { ...producer, committed: true })
  await side.settle()
  await fetch('it ended', [groupId], null)
}
