// Branches that take their parents' names, and give them back.

import type { Admin } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { errors } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { batchOf, WireClient } from '../wire-client.ts'
import { numbered, Stage } from './stage.ts'

/** KafkaJS goes on asking for names that it has heard once, so each question has a client of its own. */
const asAdmin = async <T>(stage: Stage, ask: (admin: Admin) => Promise<T>): Promise<T> => {
  const admin = stage.kafka.admin()
  await admin.connect()
  try {
    return await ask(admin)
  } finally {
    await admin.disconnect()
  }
}
const committedBy = (stage: Stage, groupId: string, topic: string) =>
  asAdmin(stage, async (admin) => {
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
    return Number(found!.partitions[0]!.offset)
  })
const topicsOf = (stage: Stage, groupId: string) =>
  asAdmin(stage, async (admin) => (await admin.fetchOffsets({ groupId })).map(({ topic }) => topic).sort())

describe('B57: promote', () => {
  test('the name shows the records of the branch, the parent lives on under another; groups stand as the rule says', async () => {
    await using stage = await Stage.open({ onDisk: true })
    await stage.create('orders')
    await stage.send('orders', numbered(10))
    await stage.fork('orders', 'orders--try', { 'branch.at': 'offset:6' })
    await stage.send('orders--try', numbered(3, 'own'))
    await stage.commit('far', 'orders', 9)
    await stage.commit('near', 'orders', 4)
    await stage.commit('both', 'orders', 9)
    await stage.commit('both', 'orders--try', 8)
    const event = await stage.run({ op: 'promote', id: 'u1', branch: 'orders--try', keep: 'orders--before' })
    expect(event).toMatchObject({
      type: 'promote',
      status: 'done',
      topics: [{ from: 'orders--try', into: 'orders', kept: 'orders--before' }],
    })
    const check = async () => {
      expect(await stage.made()).toEqual(['orders', 'orders--before'])
      expect(await stage.values('orders', 9)).toEqual([...numbered(6), ...numbered(3, 'own')])
      expect((await stage.configs('orders'))['branch.from']).toBe('orders--before')
      expect(await stage.values('orders--before', 10)).toEqual(numbered(10))
      expect(await committedBy(stage, 'far', 'orders')).toBe(6)
      expect(await committedBy(stage, 'far', 'orders--before')).toBe(9)
      expect(await committedBy(stage, 'near', 'orders')).toBe(4)
      expect(await committedBy(stage, 'both', 'orders')).toBe(8)
      expect(await committedBy(stage, 'both', 'orders--before')).toBe(9)
      // Nothing under a name that no topic has: kafka-consumer-groups would describe no group any more.
      expect(await topicsOf(stage, 'both')).toEqual(['orders', 'orders--before'])
    }
    await check()
    await stage.restart()
    await check()
    // Promoting the one that was kept brings the old picture back.
    await stage.run({ op: 'promote', id: 'u2', branch: 'orders--before', keep: 'orders--try' })
    expect(await stage.made()).toEqual(['orders', 'orders--try'])
    expect(await stage.values('orders', 10)).toEqual(numbered(10))
    expect(await committedBy(stage, 'far', 'orders')).toBe(9)
    expect(await committedBy(stage, 'both', 'orders')).toBe(9)
    expect(await committedBy(stage, 'both', 'orders--try')).toBe(8)
    expect(await topicsOf(stage, 'both')).toEqual(['orders', 'orders--try'])
  }, 120_000)

  test('a consumer and an idempotent producer of the name go on with the records of the branch', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.send('orders', numbered(5))
    await stage.fork('orders', 'orders--try')
    await stage.send('orders--try', ['own'])
    const seen: string[] = []
    const consumer = stage.kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) })
    const has = (value: string) =>
      new Promise<void>((resolve) => {
        const look = () => (seen.includes(value) ? resolve() : setTimeout(look, 10))
        look()
      })
    const producer = stage.kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const send = (value: string) => producer.send({ topic: 'orders', messages: [{ value, partition: 0 }] })
    await has('v4')
    await send('before')
    await has('before')
    await stage.run({ op: 'promote', id: 'u1', branch: 'orders--try' })
    await send('after 1')
    await send('after 2')
    await has('after 2')
    expect(await stage.values('orders', 8)).toEqual([...numbered(5), 'own', 'after 1', 'after 2'])
    expect(await stage.values('orders--before-u1', 6)).toEqual([...numbered(5), 'before'])
    await consumer.disconnect()
    await producer.disconnect()
  }, 60_000)

  test('what a producer has sent to the branch under its own name says nothing of what it sends to the name it takes', async () => {
    await using stage = await Stage.open({ onDisk: true })
    await stage.create('orders')
    const producer = stage.kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const send = async (topic: string, value: string) => {
      await producer.send({ topic, messages: [{ value, partition: 0 }] })
    }
    for (const value of numbered(3)) await send('orders', value)
    await stage.fork('orders', 'orders--try')
    for (const value of numbered(5, 'own')) await send('orders--try', value)
    await stage.run({ op: 'promote', id: 'u1', branch: 'orders--try', keep: 'before' })
    // Its fourth batch for this name; the branch has had a fourth one, which would be taken for this one.
    await send('orders', 'after')
    await send('before', 'late')
    const now = [...numbered(3), ...numbered(5, 'own'), 'after']
    expect(await stage.values('orders', 9)).toEqual(now)
    await stage.run({ op: 'promote', id: 'u2', branch: 'before', keep: 'tried' })
    await send('orders', 'back')
    expect(await stage.values('orders', 5)).toEqual([...numbered(3), 'late', 'back'])
    await producer.disconnect()
  }, 60_000)

  test('a whole set is promoted at once, with what was made inside, and ends with it', async () => {
    await using stage = await Stage.open({ topics: ['a', 'b'] })
    await stage.run({ op: 'fork', id: 'f1', set: 's', from: '*' })
    await stage.send('a--s', ['own'])
    const event = await stage.run({ op: 'promote', id: 'u1', set: 's', keep: 'old' })
    expect(event.topics).toHaveLength(2)
    expect(await stage.made()).toEqual(['a', 'a--old', 'b', 'b--old'])
    expect(await stage.values('a', 1)).toEqual(['own'])
    expect((await stage.run({ op: 'abandon', id: 'x', set: 's' })).error).toMatchObject({ code: 'UNKNOWN_SET' })
  })

  test('waits for a transaction that is open, and gives up after ten seconds', async () => {
    await using stage = await Stage.open({ topics: ['a'] })
    await stage.fork('a', 'a--try')
    const producer = stage.kafka.producer({ transactionalId: 't', idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const first = await producer.transaction()
    await first.send({ topic: 'a', messages: [{ value: 'open' }] })
    expect((await stage.run({ op: 'promote', id: 'u1', branch: 'a--try' })).error).toEqual({
      code: 'OPEN_TRANSACTION',
      message: "'a' has had an open transaction for 10 s. End or abort it first.",
    })
    const promoted = stage.run({ op: 'promote', id: 'u2', branch: 'a--try' })
    await first.commit()
    expect(await promoted).toMatchObject({ status: 'done' })
    await producer.disconnect()
  }, 60_000)

  test('what cannot be promoted is rejected with the reason', async () => {
    await using stage = await Stage.open({ topics: ['a', 'taken'] })
    await stage.fork('a', 'b')
    const why = async (command: Record<string, unknown>, id: string) =>
      (await stage.run({ op: 'promote', id, ...command })).error?.code
    expect(await why({ branch: 'nothing' }, '1')).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await why({ branch: 'a' }, '2')).toBe('NOT_A_BRANCH')
    expect(await why({ branch: 'b', keep: 'taken' }, '3')).toBe('TOPIC_ALREADY_EXISTS')
    expect(await why({ branch: 'b', keep: 'a b' }, '4')).toBe('INVALID_TOPIC_EXCEPTION')
    expect(await why({ branch: 'b', keep: 'a' }, '5')).toBe('TOPIC_ALREADY_EXISTS')
    // To metrics x.y and x_y are one: CreateTopics refuses the second, and a promotion made it.
    await stage.create('x.y')
    expect(await why({ branch: 'b', keep: 'x_y' }, '5b')).toBe('INVALID_TOPIC_EXCEPTION')
    expect(await why({ branch: 'b', keep: 'x-y' }, '5c')).toBeUndefined()
    expect(await why({ branch: 'x-y', keep: 'b' }, '5d')).toBeUndefined()
    await stage.admin.deleteTopics({ topics: ['a'] })
    expect(await why({ branch: 'b' }, '6')).toBe('ORPHAN')
  })
})

describe('what stands between a branch and its parent goes on when names change', () => {
  const compacted = { 'cleanup.policy': 'compact' }

  test('a conflict that was parked before is resolved under the name that its target has now', async () => {
    await using stage = await Stage.open()
    await stage.create('a', 1, compacted)
    await stage.fork('a', 'b')
    await stage.send('a', [{ key: 'k', value: 'a' }])
    await stage.send('b', [{ key: 'k', value: 'b' }])
    await stage.run({ op: 'merge', id: 'm1', from: 'b', into: 'a', onConflict: 'park' })
    await stage.run({ op: 'promote', id: 'u1', branch: 'b', keep: 'a--before' })
    const key = { merge: 'm1', partition: 0, key: 'k', take: 'theirs' }
    // The name means another topic now.
    expect((await stage.run({ op: 'resolve', id: 'r1', topic: 'a', ...key })).error?.code).toBe('NO_SUCH_CONFLICT')
    expect(await stage.run({ op: 'resolve', id: 'r2', topic: 'a--before', ...key })).toMatchObject({ status: 'done' })
    expect(await stage.values('a--before', 2)).toEqual(['a', 'b'])
    expect((await stage.run({ op: 'resolve', id: 'r3', topic: 'a--before', ...key })).error?.code).toBe(
      'NO_SUCH_CONFLICT',
    )
  })

  test('a group stands where it stood as far as both have the same records, also those of a fast-forward', async () => {
    await using stage = await Stage.open()
    await stage.create('a')
    await stage.send('a', numbered(3))
    await stage.fork('a', 'b')
    await stage.send('b', numbered(4, 'own'))
    await stage.run({ op: 'merge', id: 'm1', from: 'b', into: 'a', strategy: 'fast-forward' })
    await stage.send('a', ['only here'])
    await stage.commit('g', 'a', 6)
    await stage.commit('far', 'a', 8)
    await stage.run({ op: 'promote', id: 'u1', branch: 'b', keep: 'a--before' })
    expect(await committedBy(stage, 'g', 'a')).toBe(6)
    expect(await committedBy(stage, 'far', 'a')).toBe(7)
    expect(await committedBy(stage, 'far', 'a--before')).toBe(8)
  })
})

test('what was to live for a while as a trial lives on as what it has become', async () => {
  await using stage = await Stage.open({ onDisk: true, topics: ['a'] })
  await stage.fork('a', 'a--try', { 'branch.ttl.ms': 600_000, 'retention.ms': 7_000 })
  await stage.run({ op: 'promote', id: 'u1', branch: 'a--try', keep: 'a--before' })
  const check = async () => {
    const configs = await stage.configs('a')
    expect([configs['branch.ttl.ms'], configs['retention.ms']]).toEqual(['-1', '7000'])
  }
  await check()
  await stage.restart()
  await check()
})

test('a promoted branch that was made anew gives the name back as before', async () => {
  await using stage = await Stage.open({ onDisk: true, topics: ['a'] })
  await stage.send('a', ['of a'])
  await stage.fork('a', 'b')
  await stage.run({ op: 'promote', id: 'u1', branch: 'b', keep: 'a--before' })
  await stage.run({ op: 'reset', id: 's1', branch: 'a' })
  await stage.send('a', ['of b'])
  await stage.restart()
  expect(await stage.run({ op: 'promote', id: 'u2', branch: 'a--before', keep: 'b' })).toMatchObject({ status: 'done' })
  expect(await stage.made()).toEqual(['a', 'b'])
  expect(await stage.values('a', 1)).toEqual(['of a'])
  expect(await stage.values('b', 2)).toEqual(['of a', 'of b'])
})

test('a set that was promoted is no more: its topics are made anew without it', async () => {
  await using stage = await Stage.open({ topics: ['a'] })
  await stage.send('a', numbered(3))
  await stage.run({ op: 'fork', id: 'f1', set: 's', topics: [{ from: 'a' }] })
  await stage.send('a--s', ['own'])
  await stage.run({ op: 'promote', id: 'u1', set: 's', keep: 'old' })
  const event = await stage.run({ op: 'reset', id: 's1', branch: 'a' })
  expect(event).toMatchObject({ type: 'reset', status: 'done', topics: [{ from: 'a--old', into: 'a' }] })
  expect(event.set).toBeUndefined()
  expect(await stage.made()).toEqual(['a', 'a--old'])
  expect(await stage.values('a', 3)).toEqual(numbered(3))
})

test('a fork of all topics takes what has the names, and not what gave them up', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('orders')
  await stage.create('stock')
  await stage.fork('orders', 'orders--try')
  await stage.fork('orders', 'orders--other')
  await stage.run({ op: 'promote', id: 'u1', branch: 'orders--try', keep: 'orders--before' })
  let count = 0
  const all = async () => {
    const { topics } = await stage.run({ op: 'fork', id: `f${++count}`, set: `s${count}`, from: '*', dryRun: true })
    return topics!.map(({ from }) => from).sort()
  }
  expect(await all()).toEqual(['orders', 'stock'])
  await stage.restart()
  expect(await all()).toEqual(['orders', 'stock'])
  await stage.run({ op: 'reset', id: 'r1', branch: 'orders' })
  expect(await all()).toEqual(['orders', 'stock'])
  await stage.run({ op: 'promote', id: 'u2', branch: 'orders--before', keep: 'orders--tried' })
  expect(await all()).toEqual(['orders', 'stock'])
  await stage.run({ op: 'promote', id: 'u3', branch: 'orders--other', keep: 'orders--was' })
  // Nobody is left to whom the name would go back.
  await stage.admin.deleteTopics({ topics: ['orders--was'] })
  expect(await all()).toEqual(['orders', 'stock'])
  await stage.restart()
  expect(await all()).toEqual(['orders', 'stock'])
}, 60_000)

test('who looks by one connection and writes by another is believed, unless that one is older than the name', async () => {
  await using stage = await Stage.open({ topics: ['a'] })
  await stage.fork('a', 'a--try')
  const address = stage.broker.bootstrapServers
  const open = () => WireClient.open(address, 'program')
  const old = await open()
  await stage.run({ op: 'promote', id: 'u1', branch: 'a--try', keep: 'a--before' })
  const [looks, writes, stranger] = [await open(), await open(), await WireClient.open(address, 'another program')]
  const { topics } = await looks.ask(metadata, 12, { topics: [{ name: 'a' }] })
  const { topicId } = topics[0]!
  const codes = await Promise.all(
    [writes, old, stranger].map(async (client) => {
      const topicData = [{ topicId, partitionData: [{ index: 0, records: batchOf(['x']) }] }]
      const { responses } = await client.ask(produce, 13, { acks: -1, timeoutMs: 1000, topicData })
      return responses[0]!.partitionResponses[0]!.errorCode
    }),
  )
  expect(codes).toEqual([0, errors.UNKNOWN_TOPIC_ID.code, errors.UNKNOWN_TOPIC_ID.code])
  for (const client of [old, looks, writes, stranger]) client.close()
})
