// The APIs of transactions on the wire, version by version: who is told what, in the words that its version knows.
// The answers are those of Kafka 4.4.0.

import { describe, expect, test } from 'vitest'
import { errorName } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { findCoordinator } from '../../protocol/messages/10-find-coordinator.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../protocol/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../protocol/messages/25-add-offsets-to-txn.ts'
import { endTxn } from '../../protocol/messages/26-end-txn.ts'
import { writeTxnMarkers } from '../../protocol/messages/27-write-txn-markers.ts'
import { txnOffsetCommit } from '../../protocol/messages/28-txn-offset-commit.ts'
import { describeProducers } from '../../protocol/messages/61-describe-producers.ts'
import { describeTransactions } from '../../protocol/messages/65-describe-transactions.ts'
import { listTransactions } from '../../protocol/messages/66-list-transactions.ts'
import type { BrokerOptions } from '../../src/embedded.ts'
import type { Body } from '../wire-client.ts'
import { batchOf } from '../wire-client.ts'
import { errorOf, Line, unknownId } from './line.ts'

type Held = { producerId: number; producerEpoch: number }
type Places = Readonly<Record<string, readonly number[]>>

const versions = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const topicsOf = (places: Places) => Object.entries(places).map(([name, partitions]) => ({ name, partitions }))

/** A client that knows how to ask. */
class Teller implements AsyncDisposable {
  readonly line: Line
  constructor(line: Line) {
    this.line = line
  }

  static async open(config: BrokerOptions['config'] = {}): Promise<Teller> {
    return new Teller(await Line.open([{ name: 't', partitions: 3 }, 'u'], config))
  }

  async init(transactionalId = 'tx', had: Partial<Held> = {}, version = 5): Promise<Held> {
    const answer = await this.line.ask(initProducerId, version, {
      transactionalId,
      transactionTimeoutMs: 60_000,
      ...had,
    })
    if (answer.errorCode !== 0) throw new Error(errorOf(answer))
    return { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
  }

  async add(held: Held, places: Places, { id = 'tx', version = 3 } = {}): Promise<string[]> {
    const { resultsByTopicV3AndBelow: results } = await this.line.ask(addPartitionsToTxn, version, {
      v3AndBelowTransactionalId: id,
      v3AndBelowProducerId: held.producerId,
      v3AndBelowProducerEpoch: held.producerEpoch,
      v3AndBelowTopics: topicsOf(places),
    })
    return results.flatMap(({ name, resultsByPartition }) =>
      resultsByPartition.map((of) => `${name}-${of.partitionIndex} ${errorName(of.partitionErrorCode)}`),
    )
  }

  async end(held: Held, committed = true, { id = 'tx', version = 5 } = {}): Promise<string> {
    const answer = await this.line.ask(endTxn, version, { transactionalId: id, ...held, committed })
    return answer.errorCode === 0 ? `${answer.producerId}/${answer.producerEpoch}` : errorOf(answer)
  }

  async send(held: Held, sequence = 0, { id = 'tx' as string | null, topic = 't', index = 0, version = 12 } = {}) {
    const records = batchOf(['x'], { ...held, baseSequence: sequence, isTransactional: true })
    const topicData = [{ name: topic, partitionData: [{ index, records }] }]
    const body = { transactionalId: id, acks: -1, timeoutMs: 1000, topicData }
    const { responses } = await this.line.ask(produce, version, body)
    return errorOf(responses[0]!.partitionResponses[0]!)
  }

  async commit(held: Held, offset: number, more: Partial<Body<typeof txnOffsetCommit>> = {}, version = 5) {
    const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: '' }]
    const topics = [{ name: 't', topicId: await this.line.id('t'), partitions }]
    const body = { transactionalId: 'tx', groupId: 'g', ...held, topics, ...more }
    const answer = await this.line.ask(txnOffsetCommit, version, body)
    return errorOf(answer.topics[0]!.partitions[0]!)
  }

  async committed(): Promise<number | string> {
    const groups = [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }]
    const answer = await this.line.ask(offsetFetch, 8, { groups, requireStable: true })
    const of = answer.groups[0]!.topics[0]!.partitions[0]!
    return of.errorCode === 0 ? of.committedOffset : errorOf(of)
  }

  async describe(id = 'tx') {
    return (await this.line.ask(describeTransactions, 0, { transactionalIds: [id] })).transactionStates[0]!
  }

  async brief(id = 'tx'): Promise<string> {
    const of = await this.describe(id)
    return of.errorCode === 0 ? `${of.transactionState} ${of.producerId}/${of.producerEpoch}` : errorOf(of)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.line[Symbol.asyncDispose]()
  }
}

const bumped = (held: Held, by = 1): Held => ({ ...held, producerEpoch: held.producerEpoch + by })

describe('InitProducerId', () => {
  test.each(versions(0, 5))('v%i: what is wrong with a timeout, a name, an epoch', async (version) => {
    await using teller = await Teller.open()
    const ask = async (transactionalId: string, transactionTimeoutMs: number) =>
      errorOf(await teller.line.ask(initProducerId, version, { transactionalId, transactionTimeoutMs }))
    expect(await ask('', 60_000)).toBe('INVALID_REQUEST')
    for (const timeoutMs of [0, -1, 900_001]) expect(await ask('tx', timeoutMs)).toBe('INVALID_TRANSACTION_TIMEOUT')
    expect(await ask('tx', 900_000)).toBe('NONE')
  })

  test.each([
    [3, 'INVALID_PRODUCER_EPOCH'],
    [4, 'PRODUCER_FENCED'],
    [5, 'PRODUCER_FENCED'],
  ])('v%i: the fenced is told %s', async (version, error) => {
    await using teller = await Teller.open()
    const held = await teller.init()
    await expect(teller.init('tx', bumped(held, 5), version)).rejects.toThrow(error)
    await expect(teller.init('tx', { ...held, producerId: held.producerId + 1 }, version)).rejects.toThrow(error)
  })

  test('the coordinator of a transactional id is found, of any name', async () => {
    await using teller = await Teller.open()
    const answer = await teller.line.ask(findCoordinator, 6, { key: '', keyType: 1, coordinatorKeys: ['tx', ''] })
    expect(answer.coordinators.map(({ errorCode, nodeId }) => [errorCode, nodeId])).toEqual([
      [0, teller.line.broker.nodeId],
      [0, teller.line.broker.nodeId],
    ])
  })
})

describe('AddPartitionsToTxn', () => {
  test.each(versions(0, 3))(
    'v%i: who asks, where to, and one that cannot be added keeps out the rest',
    async (version) => {
      await using teller = await Teller.open()
      const held = await teller.init()
      const add = (places: Places, of = held, id = 'tx') => teller.add(of, places, { id, version })
      expect(await add({ t: [0] }, held, '')).toEqual(['t-0 INVALID_REQUEST'])
      expect(await add({ t: [0] }, held, 'nobody')).toEqual(['t-0 INVALID_PRODUCER_ID_MAPPING'])
      const fenced = version < 2 ? 'INVALID_PRODUCER_EPOCH' : 'PRODUCER_FENCED'
      expect(await add({ t: [0] }, bumped(held))).toEqual([`t-0 ${fenced}`])
      expect(await add({ t: [0, 7], nono: [0] })).toEqual([
        't-0 OPERATION_NOT_ATTEMPTED',
        't-7 UNKNOWN_TOPIC_OR_PARTITION',
        'nono-0 UNKNOWN_TOPIC_OR_PARTITION',
      ])
      expect(await add({ t: [0], __consumer_offsets: [0], __transaction_state: [0] })).toEqual([
        't-0 OPERATION_NOT_ATTEMPTED',
        '__consumer_offsets-0 TOPIC_AUTHORIZATION_FAILED',
        '__transaction_state-0 TOPIC_AUTHORIZATION_FAILED',
      ])
      expect(await teller.brief()).toBe(`Empty ${held.producerId}/0`)
      expect(await add({ t: [0, 1], u: [0] })).toEqual(['t-0 NONE', 't-1 NONE', 'u-0 NONE'])
      expect((await teller.describe()).topics).toEqual([
        { topic: 't', partitions: [0, 1] },
        { topic: 'u', partitions: [0] },
      ])
    },
  )

  test.each([4, 5])('v%i: many producers at once, each judged alone; some only ask', async (version) => {
    await using teller = await Teller.open()
    const [a, b] = [await teller.init('a'), await teller.init('b')]
    const ask = async (transactions: [string, Held, Places, boolean?][]) => {
      const answer = await teller.line.ask(addPartitionsToTxn, version, {
        transactions: transactions.map(([transactionalId, held, places, verifyOnly = false]) => ({
          transactionalId,
          ...held,
          verifyOnly,
          topics: topicsOf(places),
        })),
      } as Body<typeof addPartitionsToTxn>)
      expect(answer.errorCode).toBe(0)
      return answer.resultsByTransaction.flatMap(({ transactionalId, topicResults }) =>
        topicResults.flatMap(({ name, resultsByPartition }) =>
          resultsByPartition.map(
            (of) => `${transactionalId} ${name}-${of.partitionIndex} ${errorName(of.partitionErrorCode)}`,
          ),
        ),
      )
    }
    const added = await ask([
      ['a', a, { t: [0, 1] }],
      ['b', b, { t: [0], nono: [1] }],
      ['nobody', a, { t: [0] }],
      ['', a, { t: [0] }],
    ])
    expect(added).toEqual([
      'a t-0 NONE',
      'a t-1 NONE',
      'b t-0 OPERATION_NOT_ATTEMPTED',
      'b nono-1 UNKNOWN_TOPIC_OR_PARTITION',
      'nobody t-0 INVALID_PRODUCER_ID_MAPPING',
      ' t-0 INVALID_REQUEST',
    ])
    const verified = await ask([
      ['a', a, { t: [0, 2] }, true],
      ['a', bumped(a), { t: [0] }, true],
      ['b', b, { t: [0] }, true],
    ])
    expect(verified).toEqual([
      'a t-0 NONE',
      'a t-2 TRANSACTION_ABORTABLE',
      'a t-0 PRODUCER_FENCED',
      'b t-0 TRANSACTION_ABORTABLE',
    ])
    expect([await teller.brief('a'), await teller.brief('b')]).toEqual([
      `Ongoing ${a.producerId}/0`,
      `Empty ${b.producerId}/0`,
    ])
  })
})

describe('EndTxn', () => {
  test.each(versions(0, 4))('v%i: the epoch stays', async (version) => {
    await using teller = await Teller.open()
    const held = await teller.init()
    const end = (committed: boolean, of = held, id = 'tx') => teller.end(of, committed, { id, version })
    expect(await end(true)).toBe('INVALID_TXN_STATE')
    await teller.add(held, { t: [0] })
    expect(await end(true, bumped(held))).toBe(version < 2 ? 'INVALID_PRODUCER_EPOCH' : 'PRODUCER_FENCED')
    expect(await end(true, held, 'nobody')).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await end(true, held, '')).toBe('INVALID_REQUEST')
    expect(await end(true)).toBe('-1/-1')
    expect(await end(true)).toBe('-1/-1')
    expect(await end(false)).toBe('INVALID_TXN_STATE')
    expect(await teller.brief()).toBe(`CompleteCommit ${held.producerId}/0`)
  })

  test('v5: the answer brings the next epoch, and nobody may use the one before', async () => {
    await using teller = await Teller.open()
    const held = await teller.init()
    expect(await teller.send(held)).toBe('NONE')
    expect(await teller.end(held)).toBe(`${held.producerId}/1`)
    expect(await teller.send(held, 1)).toBe('INVALID_PRODUCER_EPOCH')
    expect(await teller.send(bumped(held))).toBe('NONE')
    expect(await teller.end(held, false)).toBe('PRODUCER_FENCED')
    expect(await teller.end(bumped(held), false)).toBe(`${held.producerId}/2`)
    expect(await teller.brief()).toBe(`CompleteAbort ${held.producerId}/2`)
  })
})

describe('Produce', () => {
  test.each([
    [9, 'INVALID_TXN_STATE'],
    [10, 'INVALID_TXN_STATE'],
    [11, 'TRANSACTION_ABORTABLE'],
  ])('v%i: into a partition that was not added: %s', async (version, error) => {
    await using teller = await Teller.open()
    const held = await teller.init()
    const send = (sequence = 0, more = {}) => teller.send(held, sequence, { version, ...more })
    expect(await send()).toBe(error)
    await teller.add(held, { t: [1] })
    expect(await send()).toBe(error)
    expect(await send(0, { index: 1 })).toBe('NONE')
    expect(await teller.end(held, true, { version: 4 })).toBe('-1/-1')
    expect(await send(1, { index: 1 })).toBe(error)
  })

  test.each(versions(9, 12))('v%i: who must not write', async (version) => {
    await using teller = await Teller.open()
    const held = await teller.init()
    await teller.init('other')
    const send = (id: string | null, of = held, more = {}) => teller.send(of, 0, { id, version, ...more })
    expect(await send('nobody')).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await send('other')).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await send(null)).toBe('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
    expect(await send('')).toBe('INVALID_REQUEST')
    expect(await send('tx', bumped(held))).toBe('INVALID_PRODUCER_EPOCH')
    expect(await send('tx', held, { index: 9 })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await teller.brief()).toBe(`Empty ${held.producerId}/0`)
  })

  test('v12: a batch brings its partition along, once', async () => {
    await using teller = await Teller.open()
    const held = await teller.init()
    expect([await teller.send(held), await teller.send(held, 1), await teller.send(held, 0, { index: 2 })]).toEqual(
      Array(3).fill('NONE'),
    )
    expect((await teller.describe()).topics).toEqual([{ topic: 't', partitions: [0, 2] }])
  })

  test('v12: batches that are sent behind the first, without waiting for it, stand behind it', async () => {
    await using teller = await Teller.open()
    const held = await teller.init()
    const sends = versions(0, 9).flatMap((sequence) => [
      teller.send(held, sequence),
      teller.send(held, sequence, { topic: 'u' }),
    ])
    expect(await Promise.all(sends)).toEqual(Array(20).fill('NONE'))
  })

  test('v11: what was sent behind a batch that was refused does not take its place', async () => {
    await using teller = await Teller.open()
    const held = await teller.init()
    expect(await teller.send(held, 0, { version: 11 })).toBe('TRANSACTION_ABORTABLE')
    await teller.add(held, { t: [0] })
    const sent = []
    for (const sequence of [1, 0, 1]) sent.push(await teller.send(held, sequence, { version: 11 }))
    expect(sent).toEqual(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'NONE', 'NONE'])
  })

  test('batches of two producers in one request are nobody’s', async () => {
    await using teller = await Teller.open()
    const [held, other] = [await teller.init('tx'), await teller.init('other')]
    const recordsOf = (of: Held) => batchOf(['x'], { ...of, baseSequence: 0, isTransactional: true })
    const partitionData = [held, other].map((of, index) => ({ index, records: recordsOf(of) }))
    const body = { transactionalId: 'tx', acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData }] }
    const { responses } = await teller.line.ask(produce, 12, body)
    expect(responses[0]!.partitionResponses.map(errorOf)).toEqual(Array(2).fill('INVALID_PRODUCER_ID_MAPPING'))
  })

  test('one transactional batch without an id refuses the whole request', async () => {
    await using teller = await Teller.open()
    const held = await teller.init()
    const partitionData = [
      { index: 0, records: batchOf(['plain']) },
      { index: 1, records: batchOf(['x'], { ...held, baseSequence: 0, isTransactional: true }) },
    ]
    const body = { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData }] }
    const { responses } = await teller.line.ask(produce, 9, body)
    expect(responses[0]!.partitionResponses.map(errorOf)).toEqual(
      Array(2).fill('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'),
    )
  })

  test('where nothing is verified a transaction may hang: it is found, and ended without its coordinator', async () => {
    await using teller = await Teller.open({ 'transaction.partition.verification.enable': false })
    const held = await teller.init()
    expect(await teller.send(held, 0, { version: 11 })).toBe('NONE')
    expect(await teller.brief()).toBe(`Empty ${held.producerId}/0`)
    const producers = async () => {
      const answer = await teller.line.ask(describeProducers, 0, { topics: [{ name: 't', partitionIndexes: [0] }] })
      return answer.topics[0]!.partitions[0]!.activeProducers
    }
    const [hanging] = await producers()
    expect(hanging).toMatchObject({ ...held, coordinatorEpoch: -1, currentTxnStartOffset: 0 })
    const topics = [{ name: 't', partitionIndexes: [0] }]
    const markers = [{ ...held, transactionResult: false, coordinatorEpoch: 0, topics }]
    const answer = await teller.line.ask(writeTxnMarkers, 1, { markers })
    expect(answer.markers[0]!.topics[0]!.partitions.map(errorOf)).toEqual(['NONE'])
    expect((await producers())[0]).toMatchObject({ ...held, coordinatorEpoch: 0, currentTxnStartOffset: -1 })
  })
})

describe('TxnOffsetCommit', () => {
  test.each(versions(0, 4))('v%i: the group’s partition must have been added', async (version) => {
    await using teller = await Teller.open()
    const held = await teller.init()
    const commit = (more = {}) => teller.commit(held, 5, more, version)
    expect(await commit()).toBe(version < 4 ? 'INVALID_TXN_STATE' : 'TRANSACTION_ABORTABLE')
    const addOffsets = async (of: Held, groupId: string, id = 'tx', asked = 4) =>
      errorOf(await teller.line.ask(addOffsetsToTxn, asked, { transactionalId: id, ...of, groupId }))
    expect(await addOffsets(held, 'g', 'nobody')).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await addOffsets(held, 'g', '')).toBe('INVALID_REQUEST')
    expect(await addOffsets(bumped(held), 'g')).toBe('PRODUCER_FENCED')
    expect(await addOffsets(bumped(held), 'g', 'tx', 1)).toBe('INVALID_PRODUCER_EPOCH')
    expect(await addOffsets(held, 'g')).toBe('NONE')
    expect(await commit()).toBe('NONE')
    expect(await teller.committed()).toBe('UNSTABLE_OFFSET_COMMIT')
    await teller.end(held, true, { version: 4 })
    expect(await teller.committed()).toBe(5)
  })

  test.each([5, 6])('v%i: brings the partition along, and an abort takes the offsets back', async (version) => {
    await using teller = await Teller.open()
    const held = await teller.init()
    expect(await teller.commit(held, 5, {}, version)).toBe('NONE')
    await teller.end(held)
    expect(await teller.commit(bumped(held), 9, {}, version)).toBe('NONE')
    expect(await teller.committed()).toBe('UNSTABLE_OFFSET_COMMIT')
    await teller.end(bumped(held), false)
    expect(await teller.committed()).toBe(5)
    expect(await teller.commit(held, 7, {}, version)).toBe('INVALID_PRODUCER_EPOCH')
    // The partition has the first word, before the coordinator is asked whose producer it is.
    expect(await teller.commit(held, 7, { transactionalId: 'nobody' }, version)).toBe('INVALID_PRODUCER_EPOCH')
    expect(await teller.commit(held, 7, { transactionalId: '' }, version)).toBe('INVALID_PRODUCER_EPOCH')
  })

  test.each(versions(0, 6))('v%i: who must not commit', async (version) => {
    await using teller = await Teller.open()
    const held = await teller.init()
    const commit = (more: Partial<Body<typeof txnOffsetCommit>>, of = held) => teller.commit(of, 5, more, version)
    expect(await commit({ transactionalId: 'nobody' })).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await commit({ transactionalId: '' })).toBe('INVALID_REQUEST')
    expect(await commit({ groupId: '' })).toBe('INVALID_GROUP_ID')
    expect(await commit({}, bumped(held))).toBe('INVALID_PRODUCER_EPOCH')
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
    const unknown = version < 6 ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'UNKNOWN_TOPIC_ID'
    expect(await commit({ topics: [{ name: 'nono', topicId: unknownId, partitions }] })).toBe(unknown)
  })

  test('the generation and the member count, where there are any (KIP-447)', async () => {
    await using teller = await Teller.open()
    const held = await teller.init()
    const commit = (generationIdOrMemberEpoch: number, memberId: string) =>
      teller.commit(held, 5, { generationIdOrMemberEpoch, memberId })
    expect(await commit(4, 'm')).toBe('ILLEGAL_GENERATION')
    expect(await commit(-1, 'm')).toBe('NONE')
    expect(await commit(4, 'm')).toBe('UNKNOWN_MEMBER_ID')
  })

  test('of two commits the one that came later counts, whichever transaction ends when', async () => {
    await using teller = await Teller.open()
    const [held, other] = [await teller.init(), await teller.init('other')]
    await teller.commit(held, 5)
    await teller.commit(other, 8, { transactionalId: 'other' })
    await teller.end(other, true, { id: 'other' })
    expect(await teller.committed()).toBe('UNSTABLE_OFFSET_COMMIT')
    await teller.end(held)
    expect(await teller.committed()).toBe(8)
  })
})

describe('WriteTxnMarkers', () => {
  test.each([1, 2])('v%i: partition by partition', async (version) => {
    await using teller = await Teller.open()
    const mark = async (producerEpoch: number, coordinatorEpoch = 0, producerId = 99) => {
      const topics = [
        { name: 't', partitionIndexes: [0, 7] },
        { name: 'nono', partitionIndexes: [0] },
      ]
      const markers = [{ producerId, producerEpoch, transactionResult: true, coordinatorEpoch, topics }]
      const answer = await teller.line.ask(writeTxnMarkers, version, { markers })
      return answer.markers.flatMap((of) => of.topics.flatMap(({ partitions }) => partitions.map(errorOf)))
    }
    const unknown = 'UNKNOWN_TOPIC_OR_PARTITION'
    expect(await mark(5)).toEqual(['NONE', unknown, unknown])
    expect(await mark(4)).toEqual(['INVALID_PRODUCER_EPOCH', unknown, unknown])
    expect(await mark(5, 3)).toEqual(['NONE', unknown, unknown])
    expect(await mark(5, 2)).toEqual(['TRANSACTION_COORDINATOR_FENCED', unknown, unknown])
    expect(await mark(0, 0, -1)).toEqual(['UNKNOWN_SERVER_ERROR', unknown, unknown])
  })
})

describe('what a transactional id is doing', () => {
  test('DescribeTransactions', async () => {
    await using teller = await Teller.open()
    const held = await teller.init()
    expect(await teller.describe()).toMatchObject({
      errorCode: 0,
      transactionState: 'Empty',
      transactionTimeoutMs: 60_000,
      transactionStartTimeMs: -1,
      ...held,
      topics: [],
    })
    await teller.send(held)
    const before = await teller.describe()
    expect(before.transactionState).toBe('Ongoing')
    await teller.end(held)
    expect(await teller.describe()).toMatchObject({
      transactionState: 'CompleteCommit',
      transactionStartTimeMs: before.transactionStartTimeMs,
      topics: [],
    })
    expect(errorOf(await teller.describe(''))).toBe('INVALID_REQUEST')
    expect(errorOf(await teller.describe('nobody'))).toBe('TRANSACTIONAL_ID_NOT_FOUND')
  })

  test('ListTransactions: by state, producer, age and name', async () => {
    await using teller = await Teller.open()
    const held = await teller.init('a1')
    await teller.init('a2')
    await teller.init('b')
    await teller.send(held, 0, { id: 'a1' })
    const list = async (filters: Partial<Body<typeof listTransactions>>) => {
      const none = { stateFilters: [], producerIdFilters: [] }
      const answer = await teller.line.ask(listTransactions, 2, { ...none, ...filters })
      if (answer.errorCode !== 0) return errorOf(answer)
      return [
        ...answer.transactionStates.map(({ transactionalId }) => transactionalId),
        ...answer.unknownStateFilters,
      ].sort()
    }
    expect(await list({})).toEqual(['a1', 'a2', 'b'])
    expect(await list({ stateFilters: ['Ongoing'] })).toEqual(['a1'])
    expect(await list({ stateFilters: ['Ongoing', 'Foo', 'empty'] })).toEqual(['Foo', 'a1', 'empty'])
    expect(await list({ stateFilters: ['Foo'] })).toEqual(['Foo'])
    expect(await list({ producerIdFilters: [held.producerId] })).toEqual(['a1'])
    // Who has no transaction began before all time.
    expect(await list({ durationFilter: 1_000_000 })).toEqual(['a2', 'b'])
    expect(await list({ transactionalIdPattern: 'a.' })).toEqual(['a1', 'a2'])
    expect(await list({ transactionalIdPattern: 'a' })).toEqual([])
    expect(await list({ transactionalIdPattern: '' })).toEqual(['a1', 'a2', 'b'])
    expect(await list({ transactionalIdPattern: '(?P<x>a)1' })).toEqual(['a1'])
    for (const bad of ['(', '(?=a)a', '(a)\\1'])
      expect(await list({ transactionalIdPattern: bad })).toBe('INVALID_REGULAR_EXPRESSION')
  })
})
