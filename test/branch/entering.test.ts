// Entering a branch set: an application with its topic names written into it lives another life.

import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, test, vi } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { describeTransactions } from '../../protocol/messages/65-describe-transactions.ts'
import { listTransactions } from '../../protocol/messages/66-list-transactions.ts'
import { consumerGroupHeartbeat } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import type { Broker } from '../../src/index.ts'
import { batchOf, WireClient } from '../wire-client.ts'
import { numbered, Stage } from './stage.ts'

const inside = (set: string) => `app--branch--${set}--`

const kafkaAt = (broker: Broker, clientId: string, retries = 5) =>
  new Kafka({
    clientId,
    brokers: [broker.bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries },
  })

/** The application: it knows no names but these. */
async function application(kafka: Kafka, count: number, writes: readonly string[]): Promise<string[]> {
  const producer = kafka.producer()
  const consumer = kafka.consumer({ groupId: 'application', maxWaitTimeInMs: 100 })
  await Promise.all([producer.connect(), consumer.connect()])
  const values: string[] = []
  try {
    await producer.send({ topic: 'orders', messages: writes.map((value) => ({ value })) })
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
        values.push(String(message.value))
        if (values.length === count) resolve()
      }
      consumer.run({ eachMessage }).catch(reject)
    })
  } finally {
    await Promise.all([producer.disconnect(), consumer.disconnect()])
  }
  return values
}

async function withAdmin<T>(kafka: Kafka, ask: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await ask(admin)
  } finally {
    await admin.disconnect()
  }
}

async function staged(sets: readonly string[] = ['S']): Promise<Stage> {
  const stage = await Stage.open()
  await stage.create('orders')
  await stage.create('stock', 2)
  await stage.create('private')
  await stage.send('orders', numbered(10))
  for (const set of sets) {
    const configs = { 'branch.set': set }
    await stage.forkAll(['orders', 'stock'].map((from) => ({ from, topic: `${from}--${set}`, configs })))
  }
  return stage
}

describe('through a client id', () => {
  test('B41: an application runs unchanged: it reads the past, writes, and the root never sees it', async () => {
    await using stage = await staged()
    const kafka = kafkaAt(stage.broker, inside('S'))
    expect(await application(kafka, 12, ['mine', 'too'])).toEqual([...numbered(10), 'mine', 'too'])
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 10 }])
    expect(await stage.values('orders--S', 12)).toEqual([...numbered(10), 'mine', 'too'])
    // Again, and it goes on where it was.
    expect(await application(kafka, 1, ['later'])).toEqual(['later'])
    expect(await withAdmin(stage.kafka, (admin) => admin.fetchTopicOffsets('orders'))).toMatchObject([{ high: '10' }])
  })

  test('B42: only members are there, under the names of their parents', async () => {
    await using stage = await staged()
    const kafka = kafkaAt(stage.broker, inside('S'))
    await withAdmin(kafka, async (admin) => {
      expect((await admin.listTopics()).sort()).toEqual(['orders', 'stock'])
      const known = await admin.fetchTopicMetadata({ topics: ['stock'] })
      expect(known.topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([['stock', 2]])
      await admin.createTopics({ topics: [{ topic: 'made-inside', numPartitions: 3 }] })
      expect((await admin.listTopics()).sort()).toEqual(['made-inside', 'orders', 'stock'])
      await expect(admin.createTopics({ topics: [{ topic: 'orders' }] })).resolves.toBe(false)
      await expect(admin.fetchTopicOffsets('private')).rejects.toThrow(/does not host/)
    })
    // Outside no twins are listed, so that a regular expression of a client does not meet them …
    expect(await stage.made()).toEqual(['orders', 'private', 'stock'])
    // … and by their own names they are topics like others.
    expect((await stage.ends('made-inside--S')).length).toBe(3)
  })

  test('B42: groups and transactional ids made inside are not seen outside, nor those from outside here', async () => {
    await using stage = await staged()
    await application(kafkaAt(stage.broker, 'plain'), 11, ['root'])
    await application(kafkaAt(stage.broker, inside('S')), 11, ['mine'])
    const outside = await WireClient.open(stage.broker.bootstrapServers)
    const within = await WireClient.open(stage.broker.bootstrapServers, inside('S'))
    const ask = { transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 }
    await within.ask(initProducerId, 5, { transactionalId: 'in', ...ask })
    await outside.ask(initProducerId, 5, { transactionalId: 'out', ...ask })
    const seen = async (client: WireClient, transactionalIdPattern: string | null = null) => {
      const body = { stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern }
      const { transactionStates } = await client.ask(listTransactions, 2, body)
      return transactionStates.map(({ transactionalId }) => transactionalId)
    }
    expect(await seen(outside)).toEqual(['out'])
    expect(await seen(within)).toEqual(['in'])
    expect(await seen(within, '^i.$')).toEqual(['in'])
    expect(await seen(within, '^o.*')).toEqual([])
    const described = await within.ask(describeTransactions, 0, { transactionalIds: ['in', 'out'] })
    expect(described.transactionStates.map(({ errorCode }) => errorCode)).toEqual([0, 105])
    for (const clientId of ['plain', inside('S')]) {
      const { groups } = await withAdmin(kafkaAt(stage.broker, clientId), (admin) => admin.listGroups())
      expect(groups.map(({ groupId }) => groupId)).toEqual(['application'])
    }
    await withAdmin(kafkaAt(stage.broker, inside('S')), (admin) => admin.deleteGroups(['application']))
    const { groups } = await stage.admin.listGroups()
    expect(groups.map(({ groupId }) => groupId)).toEqual(['application'])
    outside.close()
    within.close()
  })

  test('B42: a regular expression that the broker resolves finds members inside, and no twins outside', async () => {
    await using stage = await staged()
    const assigned = async (clientId: string, memberId: string) => {
      const client = await WireClient.open(stage.broker.bootstrapServers, clientId)
      const answer = await client.ask(consumerGroupHeartbeat, 1, {
        groupId: 'by-regex',
        memberId,
        memberEpoch: 0,
        rebalanceTimeoutMs: 1000,
        subscribedTopicNames: [],
        subscribedTopicRegex: '.*r.*',
        topicPartitions: [],
      })
      client.close()
      expect(answer.errorCode).toBe(0)
      return answer.assignment!.topicPartitions.map(({ topicId }) => topicId).sort()
    }
    const ids = async (clientId: string, names: string[]) => {
      const client = await WireClient.open(stage.broker.bootstrapServers, clientId)
      const { topics } = await client.ask(metadata, 12, { topics: names.map((name) => ({ name })) })
      client.close()
      return topics.map(({ topicId }) => topicId).sort()
    }
    expect(await assigned('plain', 'a')).toEqual(await ids('plain', ['orders', 'private']))
    expect(await assigned(inside('S'), 'b')).toEqual(await ids('plain', ['orders--S']))
  })

  test('B42: a consumer outside that subscribes to every name is given no twin', async () => {
    await using stage = await staged()
    const consumer = stage.kafka.consumer({ groupId: 'all', maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic: /.*/, fromBeginning: true })
    const joined = new Promise<Record<string, number[]>>((resolve) => {
      consumer.on('consumer.group_join', ({ payload }) => resolve(payload.memberAssignment))
    })
    await consumer.run({ eachMessage: async () => {} })
    const assigned = Object.keys(await joined).filter((name) => !name.startsWith('__'))
    expect(assigned.sort()).toEqual(['orders', 'private', 'stock'])
    await consumer.disconnect()
  })

  test('B44: a set that does not exist is an error at once, and never the root', async () => {
    await using stage = await staged()
    const kafka = kafkaAt(stage.broker, inside('T'), 2)
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    await expect(application(kafka, 1, ['lost'])).rejects.toThrow(/topic/i)
    const consumer = kafka.consumer({ groupId: 'application' })
    await consumer.connect()
    const crashed = new Promise<Error>((resolve) => {
      consumer.on('consumer.crash', ({ payload }) => resolve(payload.error))
    })
    const subscribed = consumer.subscribe({ topic: 'orders', fromBeginning: true })
    const failed = subscribed.then(() => consumer.run({ eachMessage: async () => {} })).then(() => crashed)
    const error = await failed.catch((cause: Error) => cause)
    expect(error.message).not.toMatch(/time/i)
    await consumer.disconnect()
    // Most answers have no room for words: the broker's output has, once.
    expect(said.mock.calls.flat()).toEqual([expect.stringContaining("the branch set 'T', which does not exist")])
    said.mockRestore()
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 10 }])
    expect((await stage.admin.listGroups()).groups).toEqual([])
  })

  test('B60: a group called S/x in the root and the group x in S never meet', async () => {
    await using stage = await staged()
    const outside = await WireClient.open(stage.broker.bootstrapServers)
    const within = await WireClient.open(stage.broker.bootstrapServers, inside('S'))
    const commit = async (client: WireClient, groupId: string, committedOffset: number) => {
      const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset }] }]
      const { topics: answers } = await client.ask(offsetCommit, 8, { groupId, memberId: '', topics })
      expect(answers).toMatchObject([{ name: 'orders', partitions: [{ errorCode: 0 }] }])
    }
    const committed = async (client: WireClient, groupId: string) => {
      const answer = await client.ask(offsetFetch, 8, { groups: [{ groupId, topics: null }] })
      return answer.groups.flatMap(({ topics }) =>
        topics.flatMap(({ name, partitions }) => partitions.map((of) => `${name} ${of.committedOffset}`)),
      )
    }
    const rootIds = ['S/x', 'x', '\u0001S\u0001x', 'S\u0001x']
    await commit(within, 'x', 3)
    for (const groupId of rootIds) await commit(outside, groupId, 7)
    expect(await committed(within, 'x')).toEqual(['orders 3'])
    await commit(within, 'x', 4)
    for (const groupId of rootIds) expect(await committed(outside, groupId)).toEqual(['orders 7'])
    // Who joins nothing may commit under no name at all, and that is another group here and there, too.
    await commit(within, '', 5)
    expect(await committed(outside, '')).toEqual([])
    await commit(outside, '', 6)
    expect(await committed(within, '')).toEqual(['orders 5'])
    outside.close()
    within.close()
  })

  test('B60: stock clients whose groups are called so commit each in their own life, and see no other', async () => {
    await using stage = await staged()
    const within = kafkaAt(stage.broker, inside('S')).admin()
    await within.connect()
    const at = (offset: number) => ({ topic: 'orders', partitions: [{ partition: 0, offset: String(offset) }] })
    // KafkaJS takes five seconds for each.
    await Promise.all([
      within.setOffsets({ groupId: 'x', ...at(3) }),
      stage.admin.setOffsets({ groupId: 'S/x', ...at(7) }),
    ])
    const seen = async (admin: typeof within) => {
      const { groups } = await admin.listGroups()
      const committed = groups.map(async ({ groupId }) => {
        const [topic] = await admin.fetchOffsets({ groupId, topics: ['orders'] })
        return `${groupId} ${topic!.partitions[0]!.offset}`
      })
      return await Promise.all(committed)
    }
    expect(await seen(within)).toEqual(['x 3'])
    expect(await seen(stage.admin)).toEqual(['S/x 7'])
    await within.disconnect()
  })

  test('B60: by its id a topic of the root, or of another set, is unknown inside, whatever is asked of it', async () => {
    await using stage = await staged(['S', 'T'])
    const outside = await WireClient.open(stage.broker.bootstrapServers)
    const within = await WireClient.open(stage.broker.bootstrapServers, inside('S'))
    const names = ['orders', 'private', 'orders--S', 'orders--T'].map((name) => ({ name }))
    const { topics } = await outside.ask(metadata, 12, { topics: names })
    const idOf = (name: string) => topics.find((topic) => topic.name === name)!.topicId
    const read = async (client: WireClient, topicId: string) => {
      const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }
      const { responses } = await client.ask(fetch, 13, {
        maxWaitMs: 0,
        minBytes: 0,
        isolationLevel: 0,
        topics: [{ topicId, partitions: [partition] }],
      })
      return responses[0]!.partitions[0]!.errorCode
    }
    expect(await read(outside, idOf('orders'))).toBe(0)
    const write = async (topicId: string) => {
      const topicData = [{ topicId, partitionData: [{ index: 0, records: batchOf(['x']) }] }]
      const { responses } = await within.ask(produce, 13, { acks: -1, timeoutMs: 1000, topicData })
      return responses[0]!.partitionResponses[0]!.errorCode
    }
    const commit = async (topicId: string) => {
      const ofTopic = { topicId, partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }
      const answer = await within.ask(offsetCommit, 10, { groupId: 'g', memberId: '', topics: [ofTopic] })
      return answer.topics[0]!.partitions[0]!.errorCode
    }
    const committed = async (topicId: string) => {
      const groups = [{ groupId: 'g', topics: [{ topicId, partitionIndexes: [0] }] }]
      return (await within.ask(offsetFetch, 10, { groups })).groups[0]!.topics[0]!.partitions[0]!.errorCode
    }
    const remove = async (topicId: string) => {
      const { responses } = await within.ask(deleteTopics, 6, { topics: [{ topicId, name: null }], timeoutMs: 1000 })
      return [responses[0]!.errorCode, responses[0]!.name]
    }
    for (const name of ['orders', 'private', 'orders--T']) {
      for (const ask of [(id: string) => read(within, id), write, commit, committed])
        expect(await ask(idOf(name)), name).toBe(100)
      expect(await remove(idOf(name)), name).toEqual([100, null])
    }
    for (const ask of [(id: string) => read(within, id), write, commit, committed])
      expect(await ask(idOf('orders--S'))).toBe(0)
    const byId = await within.ask(metadata, 12, { topics: [{ topicId: idOf('private'), name: null }] })
    expect(byId.topics.map(({ errorCode, name }) => [errorCode, name])).toEqual([[100, null]])
    const own = await within.ask(metadata, 12, { topics: [{ topicId: idOf('orders--S'), name: null }] })
    expect(own.topics.map(({ errorCode, name }) => [errorCode, name])).toEqual([[0, 'orders']])
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 10 }])
    expect(await stage.ends('orders--S')).toEqual([{ low: 0, high: 11 }])
    expect(await remove(idOf('orders--S'))).toEqual([0, 'orders'])
    outside.close()
    within.close()
  })
})

describe('commands that are given inside', () => {
  test('name topics as they are called in there', async () => {
    await using stage = await staged()
    const kafka = kafkaAt(stage.broker, inside('S'))
    const producer = kafka.producer()
    await producer.connect()
    const give = (command: object) =>
      producer.send({ topic: '__branch_commands', messages: [{ value: JSON.stringify(command) }] })
    await give({ op: 'fork', id: 'mine', from: 'orders', to: 'orders-try' })
    expect(await stage.event('mine')).toMatchObject({
      status: 'done',
      set: 'S',
      topics: [{ from: 'orders--S', into: 'orders-try--S', inside: 'orders-try' }],
    })
    await give({ op: 'fork', id: 'foreign', from: 'private', to: 'mine-now' })
    expect(await stage.event('foreign')).toMatchObject({ type: 'rejected', error: { code: 'INVALID_CONFIG' } })
    await give({ op: 'fork', id: 'all', from: '*', set: 'T' })
    const all = await stage.event('all')
    expect(all.topics!.map(({ into, inside: name }) => `${into} is ${name}`).sort()).toEqual([
      'orders--T is orders',
      'orders-try--T is orders-try',
      'stock--T is stock',
    ])
    await give({ op: 'abandon', id: 'over', branch: 'orders-try' })
    expect(await stage.event('over')).toMatchObject({ type: 'delete', topics: [{ into: 'orders-try--S' }] })
    await withAdmin(kafka, async (admin) => expect((await admin.listTopics()).sort()).toEqual(['orders', 'stock']))
    await producer.disconnect()
  })

  test('B59: an environment of an environment has its records, and neither sees what the other writes', async () => {
    await using stage = await staged()
    const at = (set: string) => kafkaAt(stage.broker, inside(set))
    expect(await application(at('S'), 11, ['of S'])).toEqual([...numbered(10), 'of S'])
    await stage.run({ op: 'fork', id: 'f', set: 'T', from: 'set:S' })
    // The group goes on where it was in S.
    expect(await application(at('T'), 1, ['of T'])).toEqual(['of T'])
    expect(await application(at('S'), 1, ['of S again'])).toEqual(['of S again'])
    expect(await stage.values('orders--T', 12)).toEqual([...numbered(10), 'of S', 'of T'])
    expect(await stage.values('orders--S', 12)).toEqual([...numbered(10), 'of S', 'of S again'])
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 10 }])
  })
})

describe('what is made inside', () => {
  test('a branch is a member too, and tells of its parent by the name in there', async () => {
    await using stage = await staged()
    await withAdmin(kafkaAt(stage.broker, inside('S')), async (admin) => {
      const configEntries = [{ name: 'branch.from', value: 'orders' }]
      await admin.createTopics({ topics: [{ topic: 'try', numPartitions: -1, configEntries }] })
      expect((await admin.listTopics()).sort()).toEqual(['orders', 'stock', 'try'])
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 2, name: 'try' }],
      })
      const told = resources[0]!.configEntries.filter(({ configName }) => /^branch\.(from|set)$/.test(configName))
      expect(told.map(({ configName, configValue }) => `${configName}=${configValue}`).sort()).toEqual([
        'branch.from=orders',
        'branch.set=S',
      ])
      const elsewhere = [...configEntries, { name: 'branch.set', value: 'T' }]
      const made = admin.createTopics({ topics: [{ topic: 'other', numPartitions: -1, configEntries: elsewhere }] })
      await expect(made).rejects.toThrow()
      const foreign = [{ name: 'branch.from', value: 'private' }]
      await expect(
        admin.createTopics({ topics: [{ topic: 'other', numPartitions: -1, configEntries: foreign }] }),
      ).rejects.toThrow()
    })
    expect((await stage.ends('try--S'))[0]).toEqual({ low: 0, high: 10 })
  })

  test('who deletes every topic and makes it again is still inside', async () => {
    await using stage = await staged()
    await withAdmin(kafkaAt(stage.broker, inside('S')), async (admin) => {
      await admin.deleteTopics({ topics: ['orders', 'stock'] })
      expect(await admin.listTopics()).toEqual([])
      await admin.createTopics({ topics: [{ topic: 'orders' }] })
      expect(await admin.listTopics()).toEqual(['orders'])
    })
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 10 }])
  })

  test('a name whose place is taken outside cannot be made, and what lies there is not shown', async () => {
    await using stage = await staged()
    await stage.create('other--S')
    await stage.send('other--S', ['of the root'])
    await withAdmin(kafkaAt(stage.broker, inside('S'), 0), async (admin) => {
      await expect(admin.fetchTopicOffsets('other')).rejects.toThrow()
      await expect(admin.createTopics({ topics: [{ topic: 'other' }] })).rejects.toThrow()
      await expect(admin.createTopics({ topics: [{ topic: '__consumer_offsets' }] })).rejects.toThrow()
    })
  })
})
