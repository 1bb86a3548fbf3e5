// Clients are there before a start has read what transactions and groups were: a fork that they ask for waits for it. It was made at
// once, and on the branch a transaction was taken back that its producer had been told was committed, and `branch.groups` copied nothing.

import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { Context } from '../../src/api/api.ts'
import { forkTopics } from '../../src/api/fork-topics.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { stateRecord } from '../../src/transaction/records.ts'
import { unborn } from '../../src/transaction/state.ts'
import { Rooms } from './merge-rooms.ts'

const id = 'tx'
const producerId = 7

/** A start, as far as clients are let in, and the rest of it. */
class Starting extends Rooms {
  static async until(store: FaultyStore): Promise<Starting> {
    const rooms = new Starting(store)
    await rooms.branches.load()
    return rooms
  }

  async goOn(): Promise<void> {
    await this.groups.load()
    await this.transactions.load()
    await this.branches.begin()
  }
}

/** A kill came when a transaction was decided and no marker was written; a group had read one record. */
async function killed(): Promise<FaultyStore> {
  const store = new FaultyStore()
  const rooms = await Rooms.open(store)
  const { broker, groups } = rooms
  const [parent, state] = await broker.createTopics(
    ['P', '__transaction_state'].map((name) => ({ name, partitions: 1, configs: {} })),
  )
  const records = [{ key: 'k', value: 'promised', timestamp: 1000 }]
  const numbered = { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true }
  await parent!.partitions[0]!.append(encodeBatch({ records, ...numbered }), 9)
  const decided = {
    ...unborn(id, producerId, 60_000, 1000),
    producerEpoch: 0,
    status: 'PrepareCommit',
    partitions: new Map([['P', new Set([0])]]),
    startedAt: 1000,
  } as const
  state!.partitions[0]!.appendOwn(encodeBatch({ records: [stateRecord(decided, 2)] }))
  const commit = { topic: 'P', topicId: parent!.id, partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }
  await groups.offsets.plant('g', [commit])
  const left = store.after('kill')
  await rooms.stop()
  return left
}

test('a fork that is asked for while a start is under way knows what was committed, and where groups stood', async () => {
  const rooms = await Starting.until(await killed())
  const topic = { name: 'C', partitions: -1, configs: {} }
  const branch = { topic, branch: { from: 'P', at: 'latest', set: undefined, groups: 'copy', rest: {} } } as const
  const context = { branches: rooms.branches, client: { principal: 'User:test' } } as unknown as Context
  const forking = forkTopics([branch], false, context)
  await new Promise((resolve) => setImmediate(resolve))
  await rooms.goOn()
  expect([...(await forking)]).toEqual([])
  expect(rooms.seen('C')).toEqual(['0 k=promised'])
  const { id: topicId } = rooms.broker.topic('C')!
  const wanted = [{ topic: 'C', partition: 0, topicId }]
  expect(rooms.groups.offsets.fetch({ groupId: 'g', wanted, requireStable: false })).toMatchObject([
    { error: 'NONE', committed: { offset: 1 } },
  ])
  await rooms.stop()
})
