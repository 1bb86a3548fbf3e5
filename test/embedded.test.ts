// The broker as an object in a test: what README promises to those who import it.

import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { incrementalAlterConfigs } from '../protocol/messages/44-incremental-alter-configs.ts'
import { describeClientQuotas } from '../protocol/messages/48-describe-client-quotas.ts'
import { alterClientQuotas } from '../protocol/messages/49-alter-client-quotas.ts'
import { listConfigResources } from '../protocol/messages/74-list-config-resources.ts'
import { Broker } from '../src/index.ts'
import { WireClient } from './wire-client.ts'

function client(broker: Broker) {
  return new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING })
}

async function topicsOf(broker: Broker): Promise<string[]> {
  const admin = client(broker).admin()
  await admin.connect()
  try {
    return (await admin.listTopics()).sort()
  } finally {
    await admin.disconnect()
  }
}

async function send(broker: Broker, topic: string, ...values: string[]): Promise<void> {
  const producer = client(broker).producer()
  await producer.connect()
  await producer.send({ topic, messages: values.map((value) => ({ value })) })
  await producer.disconnect()
}

async function read(broker: Broker, topic: string, count: number, groupId: string): Promise<string[]> {
  const consumer = client(broker).consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          values.push(String(message.value))
          if (values.length === count) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return values
}

test('a broker in memory is there at once, with its topics, and gone when the block ends', async () => {
  let address: string
  {
    await using broker = await Broker.start({
      port: 0,
      storage: 'memory',
      topics: ['a', { name: 'orders', partitions: 3 }],
    })
    address = broker.bootstrapServers
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(broker.storage).toBe('memory')
    expect(await topicsOf(broker)).toEqual(['a', 'orders'])
    await send(broker, 'a', 'one', 'two')
    expect(await read(broker, 'a', 2, 'g')).toEqual(['one', 'two'])
  }
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin()
  await expect(admin.connect()).rejects.toThrow()
})

test('reset gives the broker of the start: topics and groups are gone, those it began with are empty again', async () => {
  await using broker = await Broker.start({ topics: [{ name: 'orders', partitions: 2 }] })
  await send(broker, 'orders', 'old')
  await send(broker, 'made-by-use', 'x')
  expect(await read(broker, 'orders', 1, 'g')).toEqual(['old'])
  await broker.reset()
  expect(await topicsOf(broker)).toEqual(['orders'])
  await send(broker, 'orders', 'new')
  // The group's commit is gone with the group: it begins anew and sees the new record only.
  expect(await read(broker, 'orders', 1, 'g')).toEqual(['new'])
})

test('stop may be called twice, and two brokers live side by side', async () => {
  const one = await Broker.start()
  const two = await Broker.start({ topics: ['only-in-two'] })
  expect(one.bootstrapServers).not.toBe(two.bootstrapServers)
  expect(await topicsOf(one)).toEqual([])
  await Promise.all([one.stop(), one.stop(), two.stop()])
})

test('options of the broker and of a topic are taken under the names of Kafka', async () => {
  await using broker = await Broker.start({
    config: { 'num.partitions': 4, 'auto.create.topics.enable': false },
    topics: [{ name: 'kept', config: { 'retention.ms': 1234 } }],
  })
  const admin = client(broker).admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata({ topics: ['kept'] })
  expect(topics[0]?.partitions).toHaveLength(4)
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: 'kept' }] })
  expect(resources[0]?.configEntries.find(({ configName }) => configName === 'retention.ms')?.configValue).toBe('1234')
  await admin.disconnect()
})

test('an option that makes no sense is refused with a sentence that names it', async () => {
  await expect(Broker.start({ config: { 'num.partitions': 'many' } })).rejects.toThrow(/num\.partitions/)
  await expect(Broker.start({ topics: ['not/a name'] })).rejects.toThrow(/not\/a name/)
  // Kafka starts with it, and can then never make the topic that its coordinators need.
  for (const of of ['offsets.topic', 'transaction.state.log', 'share.coordinator.state.topic'])
    await expect(Broker.start({ config: { [`${of}.segment.bytes`]: 4000 } })).rejects.toThrow(/segment\.bytes/)
  await expect(Broker.start({ storage: 'mapped' })).rejects.toThrow(/data directory/)
})

test('reset forgets what was said of groups and clients', async () => {
  await using broker = await Broker.start()
  const client = await WireClient.open(broker.bootstrapServers)
  const entity = [{ entityType: 'user', entityName: 'ann' }]
  const ops = [{ key: 'producer_byte_rate', value: 1, remove: false }]
  await client.ask(alterClientQuotas, 1, { entries: [{ entity, ops }], validateOnly: false })
  const configs = [{ name: 'share.isolation.level', configOperation: 0, value: 'read_committed' }]
  const resources = [{ resourceType: 32, resourceName: 'readers', configs }]
  await client.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false })
  await broker.reset()
  expect((await client.ask(describeClientQuotas, 1, { components: [], strict: false })).entries).toEqual([])
  expect((await client.ask(listConfigResources, 1, { resourceTypes: [32] })).configResources).toEqual([])
  client.close()
})

test('an option that is misspelt is refused, and is not a log in memory that was meant for the disk', async () => {
  const misspelt = { storag: 'mapped', data: 'nowhere' }
  await expect(Broker.start(misspelt as object)).rejects.toThrow(
    "there is no option 'storag' of a broker; there are port",
  )
  await expect(Broker.start({ storage: 'disk' as 'plain' })).rejects.toThrow('storage is one of memory, mapped, plain')
})

test('options that contradict each other, or say nothing, are refused by name', async () => {
  const refused = (options: object) => expect(Broker.start(options)).rejects
  await refused({ storage: 'memory', data: 'nowhere' }).toThrow("storage: 'memory' writes nothing to 'nowhere'")
  await refused({ listeners: [] }).toThrow('listeners holds none for clients')
  await refused({ port: 0, listeners: [] }).toThrow('port and listeners say the same thing')
  await refused({ port: '9092' }).toThrow('port is a number from 0 to 65535, not "9092"')
  await refused({ topics: [{ nam: 'a' }] }).toThrow("there is no option 'nam' of a topic; there are name, partitions")
  await refused({ topics: [{ partitions: 2 }] }).toThrow('a topic has a name')
  await refused({ http: { prot: 8080 } }).toThrow("there is no option 'prot' of HTTP; there are port, host")
  // It was taken without a word, and topics had one partition.
  await refused({ config: { 'num.partition': 3 } }).toThrow(
    'Unknown option num.partition (config). Did you mean num.partitions?',
  )
  await refused({ config: { 'retention.ms': 3 } }).toThrow('the option that sets its default is log.retention.ms')
})
