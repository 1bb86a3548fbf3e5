// Transactions that a fork cuts through: on the branch they end at once, as they are known to end on the parent.

import type { Transaction } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { numbered, Stage } from './stage.ts'

const transactional = async (stage: Stage, transactionalId: string) => {
  const producer = stage.kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  return producer
}
const write = (transaction: Transaction, topic: string, ...values: string[]) =>
  transaction.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) })
/** A transaction that was open when its topic was forked, and then wrote to the branch as well. */
const overTheCut = async (stage: Stage) => {
  await stage.create('orders')
  const producer = await transactional(stage, 't')
  const first = await producer.transaction()
  await write(first, 'orders', 'over the cut')
  await stage.fork('orders', 'orders--try')
  await write(first, 'orders--try', 'same')
  return { producer, first }
}
/** Everything a reader sees up to a record that was written last. */
const upTo = async (stage: Stage, topic: string, last: string, count: number, uncommitted = false) => {
  await stage.send(topic, [last])
  return stage.values(topic, count + 1, uncommitted)
}

describe('a transaction that is open at the cut', () => {
  test('B8: it commits on the parent later, and is never seen on the branch', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    const producer = await transactional(stage, 't')
    const transaction = await producer.transaction()
    await write(transaction, 'orders', 'open-1', 'open-2')
    await stage.fork('orders', 'orders--try')
    // Two records and the marker that ends it here.
    expect(await stage.ends('orders--try')).toEqual([{ low: 0, high: 3 }])
    const { bytes, highWatermark, lastStableOffset } = await stage.fetched('orders--try', 0)
    expect([lastStableOffset, highWatermark]).toEqual([3, 3])
    const batches = [...batch.iterateBatches(bytes)]
    expect(batches.map((at) => batch.isControl(bytes, at))).toEqual([false, true])
    const [written, marker] = batches.map((at) => [batch.producerId(bytes, at), batch.producerEpoch(bytes, at)])
    expect(marker).toEqual(written)
    expect((await stage.fetched('orders', 0)).lastStableOffset).toBe(0)
    await transaction.commit()
    expect(await upTo(stage, 'orders', 'end', 2)).toEqual(['open-1', 'open-2', 'end'])
    expect(await upTo(stage, 'orders--try', 'end', 0)).toEqual(['end'])
    expect(await stage.values('orders--try', 3, true)).toEqual(['open-1', 'open-2', 'end'])
    await producer.disconnect()
  })

  test('B9: what was committed behind it is seen on the branch', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    const [older, newer] = [await transactional(stage, 'older'), await transactional(stage, 'newer')]
    const open = await older.transaction()
    await write(open, 'orders', 'open')
    const done = await newer.transaction()
    await write(done, 'orders', 'done')
    await done.commit()
    await stage.fork('orders', 'orders--try')
    // Not where the older one begins: at the end, and a marker for the older one.
    expect((await stage.fetched('orders', 0)).lastStableOffset).toBe(0)
    expect((await stage.configs('orders--try'))['branch.offsets']).toBe('0=3')
    expect((await stage.fetched('orders--try', 0)).lastStableOffset).toBe(4)
    expect(await upTo(stage, 'orders--try', 'end', 1)).toEqual(['done', 'end'])
    await open.abort()
    await older.disconnect()
    await newer.disconnect()
  })

  test('B51: its producer goes on into the branch, in the same transaction and in later ones', async () => {
    await using stage = await Stage.open()
    const { producer, first } = await overTheCut(stage)
    await first.commit()
    const second = await producer.transaction()
    await write(second, 'orders--try', 'aborted')
    await second.abort()
    const third = await producer.transaction()
    await write(third, 'orders--try', 'third')
    await third.commit()
    expect(await upTo(stage, 'orders--try', 'end', 2)).toEqual(['same', 'third', 'end'])
    expect(await upTo(stage, 'orders', 'end', 1)).toEqual(['over the cut', 'end'])
    await producer.disconnect()
  })

  test('B51: the one over the cut is aborted, and the next one is seen', async () => {
    await using stage = await Stage.open()
    const { producer, first } = await overTheCut(stage)
    await first.abort()
    const second = await producer.transaction()
    await write(second, 'orders--try', 'second')
    await second.commit()
    expect(await upTo(stage, 'orders--try', 'end', 1)).toEqual(['second', 'end'])
    expect(await upTo(stage, 'orders', 'end', 0)).toEqual(['end'])
    expect(await stage.values('orders--try', 4, true)).toEqual(['over the cut', 'same', 'second', 'end'])
    await producer.disconnect()
  })
})

describe('a cut in the middle of a transaction that is decided', () => {
  for (const outcome of ['commit', 'abort'] as const) {
    test(`B50: the branch shows what its parent shows below the cut (${outcome})`, async () => {
      await using stage = await Stage.open()
      await stage.create('orders')
      const producer = await transactional(stage, 't')
      await stage.send('orders', ['before'])
      const transaction = await producer.transaction()
      await write(transaction, 'orders', 't1')
      await write(transaction, 'orders', 't2')
      await write(transaction, 'orders', 't3')
      await transaction[outcome]()
      await stage.fork('orders', 'orders--try', { 'branch.at': 'offset:3' })
      const seen = outcome === 'commit' ? ['before', 't1', 't2'] : ['before']
      expect(await upTo(stage, 'orders--try', 'end', seen.length)).toEqual([...seen, 'end'])
      const parent = outcome === 'commit' ? [...seen, 't3'] : seen
      expect(await upTo(stage, 'orders', 'end', parent.length)).toEqual([...parent, 'end'])
      await producer.disconnect()
    })
  }
})

describe('a cut through several topics', () => {
  test('B10: a set shows the same counter in both of its topics, in every one of 100 forks', async () => {
    await using stage = await Stage.open({ topics: ['a', 'b'] })
    const producer = await transactional(stage, 't')
    let count = 0
    let isOver = false
    const writing = (async () => {
      while (!isOver) {
        const transaction = await producer.transaction()
        const value = `${++count}`
        await write(transaction, 'a', value)
        await write(transaction, 'b', value)
        await transaction.commit()
      }
    })()
    const sets = numbered(100, 's')
    for (const set of sets) {
      const configs = { 'branch.set': set }
      await stage.forkAll(['a', 'b'].map((from) => ({ from, topic: `${from}--${set}`, configs })))
    }
    isOver = true
    await writing
    await producer.disconnect()
    // Both logs hold a record and a marker for each transaction, and an aborted one looks no different: read what is seen.
    const last = new Map<string, string>()
    const consumer = stage.kafka.consumer({ groupId: 'all', maxWaitTimeInMs: 100 })
    await consumer.connect()
    const topics = sets.flatMap((set) => [`a--${set}`, `b--${set}`])
    await stage.producer.sendBatch({
      topicMessages: topics.map((topic) => ({ topic, messages: [{ value: 'end', partition: 0 }] })),
    })
    await consumer.subscribe({ topics, fromBeginning: true })
    let ended = 0
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          autoCommit: false,
          eachMessage: async ({ topic, message }) => {
            if (String(message.value) !== 'end') last.set(topic, String(message.value))
            else if (++ended === topics.length) resolve()
          },
        })
        .catch(reject)
    })
    await consumer.disconnect()
    const halves = sets.filter((set) => last.get(`a--${set}`) !== last.get(`b--${set}`))
    expect(halves).toEqual([])
    expect(new Set(last.values()).size).toBeGreaterThan(2)
  }, 120_000)
})
