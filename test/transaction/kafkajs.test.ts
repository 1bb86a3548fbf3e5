// Transactions as a stock client has them: KafkaJS produces, commits, aborts, sends offsets along and is fenced.

import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { Broker } from '../../src/index.ts'

const client = (broker: Broker) => new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING })

async function producerOf(broker: Broker, transactionalId: string) {
  const producer = client(broker).producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  return producer
}

/** What a reader of committed records sees of partition 0 until it meets the value `end`, which somebody else sent. */
async function read(broker: Broker, topic: string, groupId: string, readUncommitted = false): Promise<string[]> {
  const last = client(broker).producer()
  await last.connect()
  await last.send({ topic, messages: [{ value: 'end', partition: 0 }] })
  await last.disconnect()
  const consumer = client(broker).consumer({ groupId, readUncommitted })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          if (String(message.value) === 'end') resolve()
          else values.push(String(message.value))
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return values
}

const messages = (...values: string[]) => values.map((value) => ({ value }))

test('what is committed is read, what is aborted is not, over several topics and transactions', async () => {
  await using broker = await Broker.start({ topics: [{ name: 'a', partitions: 2 }, 'b'] })
  const producer = await producerOf(broker, 'tx')
  for (const [i, outcome] of (['commit', 'abort', 'commit', 'abort'] as const).entries()) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'a', messages: [{ value: `a${i}`, partition: 0 }] })
    await transaction.send({ topic: 'b', messages: messages(`b${i}`, `b${i}+`) })
    await transaction[outcome]()
  }
  await producer.disconnect()
  expect(await read(broker, 'b', 'committed')).toEqual(['b0', 'b0+', 'b2', 'b2+'])
  expect(await read(broker, 'a', 'committed-a')).toEqual(['a0', 'a2'])
  const all = (await read(broker, 'b', 'uncommitted', true)).filter((value) => value !== 'end')
  expect(all).toEqual(['b0', 'b0+', 'b1', 'b1+', 'b2', 'b2+', 'b3', 'b3+'])
})

test('offsets that are sent along count when the transaction is committed, and never when it is aborted', async () => {
  await using broker = await Broker.start({ topics: ['in', 'out'] })
  const producer = await producerOf(broker, 'copier')
  const admin = client(broker).admin()
  await admin.connect()
  const committed = async () => (await admin.fetchOffsets({ groupId: 'g', topics: ['in'] }))[0]?.partitions[0]?.offset
  const copy = async (offset: string, outcome: 'commit' | 'abort') => {
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'out', messages: messages(offset) })
    await transaction.sendOffsets({
      consumerGroupId: 'g',
      topics: [{ topic: 'in', partitions: [{ partition: 0, offset }] }],
    })
    const before = await committed()
    await transaction[outcome]()
    return before
  }
  expect(await copy('5', 'commit')).toBe('-1')
  expect(await committed()).toBe('5')
  expect(await copy('9', 'abort')).toBe('5')
  expect(await committed()).toBe('5')
  expect(await copy('7', 'commit')).toBe('5')
  expect(await committed()).toBe('7')
  await admin.disconnect()
  await producer.disconnect()
})

test('a producer that comes with the same id takes over: what the first left open is aborted, and it is fenced', async () => {
  await using broker = await Broker.start({ topics: ['t'] })
  const first = await producerOf(broker, 'tx')
  const left = await first.transaction()
  await left.send({ topic: 't', messages: messages('left open') })
  const second = await producerOf(broker, 'tx')
  const taken = await second.transaction()
  await taken.send({ topic: 't', messages: messages('taken over') })
  await expect(left.send({ topic: 't', messages: messages('too late') })).rejects.toThrow()
  await expect(left.commit()).rejects.toThrow()
  await taken.commit()
  await first.disconnect()
  await second.disconnect()
  expect(await read(broker, 't', 'g')).toEqual(['taken over'])
})

test('reset forgets transactional ids with everything else', async () => {
  await using broker = await Broker.start({ topics: ['t'] })
  const before = await producerOf(broker, 'tx')
  const transaction = await before.transaction()
  await transaction.send({ topic: 't', messages: messages('old') })
  await transaction.commit()
  await before.disconnect()
  await broker.reset()
  const after = await producerOf(broker, 'tx')
  const again = await after.transaction()
  await again.send({ topic: 't', messages: messages('new') })
  await again.commit()
  await after.disconnect()
  expect(await read(broker, 't', 'g')).toEqual(['new'])
})
