// What readers of committed data see (KIP-98), and who writes it (KIP-664). Expected answers are those of Kafka 4.4.0.

import { beforeEach, describe, expect, test } from 'vitest'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { describeProducers } from '../../protocol/messages/61-describe-producers.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { type Answer, type ApiTable, emptyBytes, type Request } from '../../protocol/schema.ts'
import { fetchApi } from '../../src/api/01-fetch.ts'
import { listOffsetsApi } from '../../src/api/02-list-offsets.ts'
import { describeProducersApi } from '../../src/api/61-describe-producers.ts'
import type { Api, Context } from '../../src/api/api.ts'
import { FetchSessions } from '../../src/api/fetch-session.ts'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import type { Partition } from '../../src/broker/partition.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { FakeClock, settled } from '../group/world.ts'
import { through } from './asked.ts'

class World {
  readonly clock = new FakeClock()
  readonly broker = new Broker({ store: new MemoryStore(), clock: this.clock, config: new BrokerConfig(new Map()) })
  readonly sessions = new FetchSessions(this.clock, 0)

  async topic(name: string, configs: Record<string, string> = {}): Promise<Partition> {
    const [made] = await this.broker.createTopics([{ name, partitions: 2, configs }])
    return made!.partitions[0]!
  }

  async ask<A extends ApiTable>(api: Api, table: A, version: number, request: Partial<Request<A>>): Promise<Answer<A>> {
    const context = {
      broker: this.broker,
      node: this.broker.nodeId,
      sessions: this.sessions,
      client: { listener: 'INSIDE' },
      version,
      onSent: () => {},
      closing: { hasBegun: false, onBegin: () => () => {} },
    } as unknown as Context
    const body = through(table.request, version, request) as Parameters<Api['handle']>[0]
    return through(table.response, version, await api.handle(body, context)) as Answer<A>
  }

  async fetch(topic: string, fetchOffset: number, isolationLevel: number, { maxWaitMs = 0, max = 1e6 } = {}) {
    const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: max }]
    const asked = { maxWaitMs, minBytes: 1, maxBytes: 1e6, isolationLevel, topics: [{ topic, partitions }] }
    const answer = await this.ask(fetchApi, fetch, 12, asked as unknown as Request<typeof fetch>)
    return answer.responses[0]!.partitions[0]!
  }

  async find(topic: string, timestamp: number, isolationLevel: number) {
    const partitions = [{ partitionIndex: 0, timestamp }]
    const asked = { replicaId: -1, isolationLevel, topics: [{ name: topic, partitions }] }
    const answer = await this.ask(listOffsetsApi, listOffsets, 9, asked as unknown as Request<typeof listOffsets>)
    return answer.topics[0]!.partitions[0]!.offset
  }

  async producers(name: string, ...partitionIndexes: number[]) {
    const answer = await this.ask(describeProducersApi, describeProducers, 0, { topics: [{ name, partitionIndexes }] })
    return answer.topics[0]!.partitions
  }
}

const write = (partition: Partition, id: number, baseSequence: number, ...times: number[]) =>
  partition.append(
    encodeBatch({
      records: times.map((timestamp) => ({ key: 'k', value: 'v', timestamp })),
      producerId: id,
      producerEpoch: 0,
      baseSequence,
      isTransactional: true,
    }),
    9,
  )

const end = (partition: Partition, type: 'COMMIT' | 'ABORT', producerId: number) =>
  partition.appendMarker({ type, producerId, producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 1 })

let world: World
let orders: Partition
let now: number

beforeEach(async () => {
  world = new World()
  orders = await world.topic('orders')
  now = world.clock.now()
})

/** Two transactions side by side: offsets 0, 1-2 and 3. */
function twoOpen() {
  write(orders, 1, 0, now - 5000)
  write(orders, 2, 0, now - 1000, now - 9000)
  write(orders, 1, 1, now - 4000)
}

describe('while transactions are open', () => {
  beforeEach(twoOpen)

  test('readers of committed data stop at the first of them', async () => {
    const seen = await world.fetch('orders', 0, 1)
    expect(seen).toMatchObject({ highWatermark: 4, lastStableOffset: 0, abortedTransactions: [], records: emptyBytes })
    const all = await world.fetch('orders', 0, 0)
    expect(all).toMatchObject({ highWatermark: 4, lastStableOffset: 0, abortedTransactions: null })
    expect(all.records).toHaveLength(220)
  })

  test('the end and what is found by time are those of what is committed', async () => {
    const found = async (isolation: number) => [
      await world.find('orders', -1, isolation),
      await world.find('orders', -2, isolation),
      await world.find('orders', -3, isolation),
      await world.find('orders', now - 4500, isolation),
    ]
    expect(await found(0)).toEqual([4, 0, 1, 1])
    expect(await found(1)).toEqual([0, 0, -1, -1])
  })

  test('one that is decided waits for the one that is not', async () => {
    await end(orders, 'COMMIT', 2)
    expect(await world.fetch('orders', 0, 1)).toMatchObject({ highWatermark: 5, lastStableOffset: 0 })
    await end(orders, 'COMMIT', 1)
    expect(await world.fetch('orders', 0, 1)).toMatchObject({ highWatermark: 6, lastStableOffset: 6 })
  })

  test.each([
    ['', {}],
    [', where every batch is flushed', { 'flush.messages': '1' }],
  ])('a reader that waits is woken by the marker%s', async (_where, configs) => {
    const refunds = await world.topic('refunds', configs)
    write(refunds, 1, 0, now)
    await refunds.flush()
    const waiting = world.fetch('refunds', 0, 1, { maxWaitMs: 60_000 })
    await settled()
    expect(await world.fetch('refunds', 0, 1)).toMatchObject({ highWatermark: 1, lastStableOffset: 0 })
    await end(refunds, 'COMMIT', 1)
    expect(await waiting).toMatchObject({ highWatermark: 2, lastStableOffset: 2, abortedTransactions: [] })
  })
})

describe('what was taken back', () => {
  beforeEach(async () => {
    twoOpen()
    await end(orders, 'ABORT', 2)
    await end(orders, 'ABORT', 1)
  })

  test('is told to readers of committed data, in the order of the markers, as far as it touches what they get', async () => {
    const told = async (offset: number, max?: number) => {
      const { abortedTransactions } = await world.fetch('orders', offset, 1, max === undefined ? {} : { max })
      return abortedTransactions!.map(({ producerId, firstOffset }) => [producerId, firstOffset])
    }
    expect(await told(0)).toEqual([
      [2, 1],
      [1, 0],
    ])
    expect(await told(3)).toEqual([
      [2, 1],
      [1, 0],
    ])
    expect(await told(5)).toEqual([[1, 0]])
    expect(await told(6)).toEqual([])
    // Kafka tells a little more than the one batch needs.
    expect(await told(0, 10)).toEqual([[1, 0]])
  })

  test('readers of everything are told nothing of it', async () => {
    expect(await world.fetch('orders', 0, 0)).toMatchObject({ lastStableOffset: 6, abortedTransactions: null })
  })
})

describe('producers of a partition', () => {
  test('are told with their epoch, sequence, coordinator and open transaction', async () => {
    twoOpen()
    await end(orders, 'COMMIT', 2)
    const told = { producerEpoch: 0, lastSequence: 1 }
    expect((await world.producers('orders', 0))[0]).toMatchObject({
      errorCode: 0,
      errorMessage: null,
      activeProducers: [
        { ...told, producerId: 1, lastTimestamp: now - 4000, coordinatorEpoch: -1, currentTxnStartOffset: 0 },
        { ...told, producerId: 2, lastTimestamp: now, coordinatorEpoch: 0, currentTxnStartOffset: -1 },
      ],
    })
  })

  test('one that a marker alone told of has no sequence', async () => {
    await orders.appendMarker({
      type: 'ABORT',
      producerId: 5,
      producerEpoch: 3,
      coordinatorEpoch: 2,
      transactionVersion: 2,
    })
    expect((await world.producers('orders', 0))[0]!.activeProducers).toEqual([
      {
        producerId: 5,
        producerEpoch: 3,
        lastSequence: -1,
        lastTimestamp: now,
        coordinatorEpoch: 2,
        currentTxnStartOffset: -1,
      },
    ])
  })

  test('where there are none, no partition or no topic', async () => {
    const codes = async (name: string, ...indexes: number[]) =>
      (await world.producers(name, ...indexes)).map(({ errorCode, errorMessage, activeProducers }) => [
        errorCode,
        errorMessage,
        activeProducers.length,
      ])
    expect(await codes('orders', 1, 7, 1)).toEqual([
      [0, null, 0],
      [3, null, 0],
      [0, null, 0],
    ])
    expect(await codes('none', 0)).toEqual([[3, 'This server does not host this topic-partition.', 0]])
    expect((await codes('a/b', 0))[0]![0]).toBe(17)
  })
})
