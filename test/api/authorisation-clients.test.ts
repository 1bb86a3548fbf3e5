// With an authorizer: what KafkaJS tells the application that may not, and that it goes about its work with the rights that
// Kafka's documentation names for it.

import { connect } from 'node:net'
import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { shareGroupHeartbeat } from '../../protocol/messages/76-share-group-heartbeat.ts'
import { shareFetch } from '../../protocol/messages/78-share-fetch.ts'
import { shareAcknowledge } from '../../protocol/messages/79-share-acknowledge.ts'
import { eventually } from '../eventually.ts'
import { errorsIn, Strangers, strangerHost } from './strangers.ts'

/** As the stranger. */
const kafkaOf = ({ line }: Strangers): Kafka =>
  new Kafka({
    brokers: [line.broker.bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 1, initialRetryTime: 10 },
    socketFactory: ({ host, port, onConnect }) => connect({ host, port, localAddress: strangerHost }, onConnect),
  })

/** Kafka's name of an error, wherever KafkaJS has put it; where it keeps none, what it says. */
function nameOf(cause: unknown): string {
  const { type, message, cause: inner } = cause as { type?: string; message: string; cause?: unknown }
  return type ?? (inner === undefined ? message : nameOf(inner))
}

const refusal = (asked: Promise<unknown>): Promise<string> => asked.then(() => 'nothing', nameOf)

test('a producer is told which right it lacks, and writes when it has it', async () => {
  await using stage = await Strangers.open(['r-a'])
  const kafka = kafkaOf(stage)
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const send = () => refusal(producer.send({ topic: 'r-a', messages: [{ value: 'v' }] }))
  await stage.allow()
  expect(await send()).toBe('TOPIC_AUTHORIZATION_FAILED')
  await stage.allow('topic DESCRIBE')
  expect(await send()).toBe('TOPIC_AUTHORIZATION_FAILED')
  await stage.allow('topic WRITE')
  expect(await send()).toBe('nothing')
  await producer.disconnect()

  const idempotent = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await stage.allow('topic DESCRIBE')
  expect(await refusal(idempotent.connect())).toBe('CLUSTER_AUTHORIZATION_FAILED')
  await stage.allow('topic WRITE')
  await idempotent.connect()
  await idempotent.disconnect()
})

test('a transaction takes WRITE on its id', async () => {
  await using stage = await Strangers.open(['r-a'])
  const producer = kafkaOf(stage).producer({ transactionalId: 'r-id', maxInFlightRequests: 1, idempotent: true })
  await stage.allow('topic WRITE', 'id DESCRIBE')
  expect(await refusal(producer.connect().then(() => producer.transaction()))).toBe(
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  )
  await stage.allow('topic WRITE', 'id WRITE')
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'r-a', messages: [{ value: 'v' }] })
  await transaction.commit()
  await producer.disconnect()
})

test('a consumer takes READ on its group and on what it reads', async () => {
  await using stage = await Strangers.open(['r-a'])
  await stage.line.append('r-a', 0, ['v'])
  const read = async (): Promise<string> => {
    const consumer = kafkaOf(stage).consumer({ groupId: 'r-g' })
    const outcomes: string[] = []
    consumer.on(consumer.events.CRASH, ({ payload: { error } }) => outcomes.push(nameOf(error)))
    try {
      await consumer.connect()
      await consumer.subscribe({ topic: 'r-a', fromBeginning: true })
      const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
        outcomes.push(`read ${message.value}`)
      }
      await consumer.run({ eachMessage })
    } catch (cause) {
      outcomes.push(nameOf(cause))
    }
    await eventually(() => expect(outcomes).not.toEqual([]))
    await consumer.disconnect()
    return outcomes[0]!
  }
  await stage.allow('topic READ')
  // Its words for a coordinator that it was not told of.
  expect(await read()).toBe('Failed to find group coordinator')
  await stage.allow('topic READ', 'group DESCRIBE')
  expect(await read()).toBe('GROUP_AUTHORIZATION_FAILED')
  await stage.allow('group READ')
  expect(await read()).toBe('TOPIC_AUTHORIZATION_FAILED')
  await stage.allow('group READ', 'topic DESCRIBE')
  expect(await read()).toBe('TOPIC_AUTHORIZATION_FAILED')
  await stage.allow('group READ', 'topic READ')
  expect(await read()).toBe('read v')
})

test('an administrator sees what may be described, and changes what may be changed', async () => {
  await using stage = await Strangers.open(['r-a', 'other'])
  const admin = kafkaOf(stage).admin()
  await admin.connect()
  await stage.allow('topic DESCRIBE')
  expect(await admin.listTopics()).toEqual(['r-a'])
  const create = () => admin.createTopics({ topics: [{ topic: 'r-b' }], waitForLeaders: false })
  expect(await refusal(create().catch(({ errors: [first] }) => Promise.reject(first)))).toBe(
    'TOPIC_AUTHORIZATION_FAILED',
  )
  expect(await refusal(admin.deleteTopics({ topics: ['r-a'] }))).toBe('TOPIC_AUTHORIZATION_FAILED')
  await stage.allow('topic CREATE', 'topic DELETE')
  await create()
  await admin.deleteTopics({ topics: ['r-a'] })
  expect(await admin.listTopics()).toEqual(['r-b'])
  await admin.disconnect()
})

test('a member of a share group says what became of records only where it may read', async () => {
  await using stage = await Strangers.open(['r-a'])
  const member = { groupId: 'r-s', memberId: 'AAAAAAAAAAAAAAAAAAAAAQ' }
  await stage.allow('group READ', 'topic READ')
  const subscribed = { ...member, memberEpoch: 0, subscribedTopicNames: ['r-a'] }
  expect([...errorsIn(await stage.ask(shareGroupHeartbeat, 1, subscribed))]).toEqual([])
  const topicId = await stage.line.id('r-a')
  const topics = (said: { firstOffset: number; lastOffset: number; acknowledgeTypes: number[] }[]) => [
    { topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches: said }] },
  ]
  const limits = { maxWaitMs: 0, minBytes: 0, maxBytes: 1000, maxRecords: 1, batchSize: 1, forgottenTopicsData: [] }
  const read = async (shareSessionEpoch: number) =>
    errorsIn(await stage.ask(shareFetch, 1, { ...member, ...limits, shareSessionEpoch, topics: topics([]) }))
  const said = async (shareSessionEpoch: number) => {
    const accepted = topics([{ firstOffset: 0, lastOffset: 0, acknowledgeTypes: [1] }])
    return errorsIn(await stage.ask(shareAcknowledge, 1, { ...member, shareSessionEpoch, topics: accepted }))
  }
  expect([...(await read(0))]).toEqual([])
  await stage.allow('group READ')
  expect([...(await read(1))]).toEqual(['TOPIC_AUTHORIZATION_FAILED'])
  expect([...(await said(2))]).toEqual(['TOPIC_AUTHORIZATION_FAILED'])
  await stage.allow('group READ', 'topic READ')
  // Nothing was taken, so nothing can be given back; but that is said, not that it may not be.
  expect([...(await said(3))]).toEqual(['INVALID_RECORD_STATE'])
})
