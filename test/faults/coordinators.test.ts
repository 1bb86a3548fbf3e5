// A bit that turns over in what coordinators remember: whoever is remembered there is refused, and everybody who is remembered in the
// topic's other partition notices nothing.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { errorName } from '../../protocol/errors.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { describeTransactions } from '../../protocol/messages/65-describe-transactions.ts'
import { describeShareGroupOffsets } from '../../protocol/messages/90-describe-share-group-offsets.ts'
import { alterShareGroupOffsets } from '../../protocol/messages/91-alter-share-group-offsets.ts'
import { deleteShareGroupOffsets } from '../../protocol/messages/92-delete-share-group-offsets.ts'
import { headerBytes } from '../../protocol/records/batch.ts'
import { Broker } from '../../src/embedded.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { WireClient } from '../wire-client.ts'

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
})
afterEach(() => {
  vi.restoreAllMocks()
})

const config = {
  'offsets.topic.num.partitions': 2,
  'transaction.state.log.num.partitions': 2,
  'share.coordinator.state.topic.num.partitions': 2,
}
const ids = Array.from({ length: 12 }, (_, i) => `id-${i}`)

type Memory = {
  readonly topic: string
  readonly remember: (wire: WireClient, id: string) => Promise<unknown>
  /** What somebody is told who asks for it. */
  readonly recall: (wire: WireClient, id: string) => Promise<string>
}

const memories: readonly Memory[] = [
  {
    topic: '__consumer_offsets',
    remember: (wire, groupId) => {
      const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }]
      const group = { groupId, generationIdOrMemberEpoch: -1, memberId: '' }
      return wire.ask(offsetCommit, 8, { ...group, topics: [{ name: 't', partitions }] })
    },
    recall: async (wire, groupId) => {
      const answer = await wire.ask(offsetFetch, 5, { groupId, topics: [{ name: 't', partitionIndexes: [0] }] })
      return answer.errorCode === 0
        ? `${answer.topics[0]!.partitions[0]!.committedOffset}`
        : errorName(answer.errorCode)
    },
  },
  {
    topic: '__transaction_state',
    remember: (wire, transactionalId) => wire.ask(initProducerId, 4, { transactionalId, transactionTimeoutMs: 7000 }),
    recall: async (wire, id) => {
      const [told] = (await wire.ask(describeTransactions, 0, { transactionalIds: [id] })).transactionStates
      return told!.errorCode === 0 ? `${told!.transactionTimeoutMs / 1000}` : errorName(told!.errorCode)
    },
  },
  {
    topic: '__share_group_state',
    remember: (wire, groupId) => {
      const topics = [{ topicName: 't', partitions: [{ partitionIndex: 0, startOffset: 7 }] }]
      return wire.ask(alterShareGroupOffsets, 0, { groupId, topics })
    },
    recall: async (wire, groupId) => {
      const topics = [{ topicName: 't', partitions: [0] }]
      const [told] = (await wire.ask(describeShareGroupOffsets, 0, { groups: [{ groupId, topics }] })).groups
      const { errorCode = told!.errorCode, startOffset } = told!.topics[0]?.partitions[0] ?? {}
      return errorCode === 0 ? `${startOffset}` : errorName(errorCode)
    },
  },
]

/** What a clean stop has left of all of it, and where the topic of a memory lies. */
async function stopped({ topic, remember }: Memory): Promise<{ store: FaultyStore; folder: string }> {
  const store = new FaultyStore()
  const broker = await Broker.start({ storage: store, config, topics: ['t'] })
  const wire = await WireClient.open(broker.bootstrapServers)
  for (const id of ids) await remember(wire, id)
  const { topics } = await wire.ask(metadata, 12, { topics: [{ name: topic }], allowAutoTopicCreation: false })
  wire.close()
  await broker.stop()
  return { store: store.after('kill'), folder: `topics/${topics[0]!.topicId}` }
}

async function recalled(store: FaultyStore, { recall }: Memory): Promise<string[]> {
  await using broker = await Broker.start({ storage: store, config })
  const wire = await WireClient.open(broker.bootstrapServers)
  const told: string[] = []
  for (const id of ids) told.push(await recall(wire, id))
  wire.close()
  return told
}

/** A bit in the first record of a partition. */
function damage(store: FaultyStore, folder: string): void {
  const segment = store.list(folder).find((name) => name.endsWith('.log'))
  store.flip(`${folder}/${segment}`, headerBytes + 9, 3)
}

test.each(memories)(
  'a damaged partition of $topic takes those out of service whom it remembers, and no others',
  async (memory) => {
    const { store, folder } = await stopped(memory)
    expect(await recalled(store.after('kill'), memory)).toEqual(ids.map(() => '7'))
    const refused = []
    for (const partition of [0, 1]) {
      const left = store.after('kill')
      const segment = left.list(`${folder}/${partition}`).find((name) => name.endsWith('.log'))
      left.flip(`${folder}/${partition}/${segment}`, headerBytes + 9, 3)
      const told = await recalled(left, memory)
      expect(new Set(told)).toEqual(new Set(['7', 'COORDINATOR_NOT_AVAILABLE']))
      refused.push(told.map((each) => each !== '7'))
    }
    // Each is remembered in one of the two.
    expect(refused[1]).toEqual(refused[0]!.map((is) => !is))
  },
)

test('a share group whose memory is damaged is listed with an error, and nobody is told that it was deleted', async () => {
  const shares = memories.find(({ topic }) => topic === '__share_group_state')!
  const { store, folder } = await stopped(shares)
  for (const partition of [0, 1]) damage(store, `${folder}/${partition}`)
  await using broker = await Broker.start({ storage: store, config })
  const wire = await WireClient.open(broker.bootstrapServers)
  const groups = ids.map((groupId) => ({ groupId, topics: null }))
  const described = await wire.ask(describeShareGroupOffsets, 0, { groups })
  const listed = { errorCode: 0, topics: [{ topicName: 't', partitions: [{ startOffset: -1, errorCode: 15 }] }] }
  expect(described.groups).toMatchObject(ids.map((groupId) => ({ groupId, ...listed })))
  for (const groupId of ids) {
    const deleted = await wire.ask(deleteShareGroupOffsets, 0, { groupId, topics: [{ topicName: 't' }] })
    expect(deleted.responses).toMatchObject([{ topicName: 't', errorCode: 15 }])
  }
  wire.close()
})
