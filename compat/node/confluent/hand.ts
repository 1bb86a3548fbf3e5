// Confluent's client for Node as a hand, by the doors that it shares with KafkaJS; behind them is the newest librdkafka.
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import confluent from '@confluentinc/kafka-javascript'
import { errorName } from '../../../protocol/errors.ts'
import { Cannot, packed, type RecordRead, type RecordToSend, Refused, unpacked } from '../../hand.ts'
import { bootstrap, type Handlers, Inbox, serve } from '../serve.ts'

type Kafka = typeof confluent.KafkaJS
type Producer = ReturnType<InstanceType<Kafka['Kafka']>['producer']>
type KafkaConsumer = ReturnType<InstanceType<Kafka['Kafka']>['consumer']>
type Message = Parameters<Producer['send']>[0]['messages'][number]

const { KafkaJS, librdkafkaVersion, features } = confluent
const own = createRequire(import.meta.url)('@confluentinc/kafka-javascript/package.json') as { version: string }
const { COMPAT_CLIENT_ID: clientId = 'compat-confluent-javascript' } = process.env
const kafka = new KafkaJS.Kafka({
  kafkaJS: { brokers: [bootstrap], clientId, logLevel: KafkaJS.logLevel.NOTHING },
  'broker.address.family': 'v4',
  'topic.metadata.refresh.interval.ms': 1_000,
  'reconnect.backoff.max.ms': 500,
})
const admin = kafka.admin()
let adminConnected: Promise<void> | undefined
const timeout = 30_000

const producers = new Map<string, Producer>()
const consumers = new Map<string, Consumer>()

class Consumer {
  readonly inbox = new Inbox<RecordRead>()
  readonly consumer: KafkaConsumer
  readonly #only: number | undefined
  /** Behind the last record of each partition that a poll has given. */
  readonly positions = new Map<string, { topic: string; partition: number; offset: string }>()

  constructor(config: object, more: object = {}, only?: number) {
    this.consumer = kafka.consumer({
      kafkaJS: { autoCommit: false, allowAutoTopicCreation: false, maxWaitTimeInMs: 100, ...config },
      ...more,
    } as Parameters<typeof kafka.consumer>[0])
    this.#only = only
  }

  async run(topics: (string | RegExp)[], place?: { topic: string; partition: number; offset: string }): Promise<void> {
    await this.consumer.connect()
    if (place !== undefined) this.consumer.seek(place)
    await this.consumer.subscribe({ topics })
    await this.consumer.run({
      eachMessage: async ({ topic, partition, message }) => {
        if (this.#only !== undefined && partition !== this.#only) return
        const { offset, timestamp, key, value, headers } = message
        const pairs = Object.entries(headers ?? {}).flatMap(([name, held]) =>
          [held].flat().map((each) => [name, each === undefined || each === null ? null : Buffer.from(each)] as const),
        )
        const wire = packed({ key, value, headers: pairs })
        this.inbox.put({ topic, partition, offset: Number(offset), timestamp: Number(timestamp), ...wire })
      },
    })
  }

  async take(ms: number): Promise<RecordRead[]> {
    const records = await this.inbox.take(ms)
    for (const { topic, partition, offset } of records) {
      this.positions.set(`${topic} ${partition}`, { topic, partition, offset: String(offset + 1) })
    }
    return records
  }

  get assigned() {
    return this.consumer.assignment().map(({ topic, partition }) => ({ topic, partition }))
  }
}

function message(given: RecordToSend): Message {
  const { key, value, headers } = unpacked(given)
  const byName: { [name: string]: Buffer | Buffer[] } = {}
  for (const [name, held] of headers) {
    if (held === null) throw new Cannot('@confluentinc/kafka-javascript has no headers without a value')
    const before = byName[name]
    byName[name] = before === undefined ? held : [before, held].flat()
  }
  const { partition, timestamp } = given
  return {
    key,
    value,
    headers: byName,
    ...(partition !== undefined && { partition }),
    ...(timestamp !== undefined && { timestamp: String(timestamp) }),
  }
}

async function connected() {
  adminConnected ??= admin.connect()
  await adminConnected
  return admin
}

function named<T>(held: ReadonlyMap<string, T>, name: string): T {
  const found = held.get(name)
  if (found === undefined) throw new Error(`nothing is open under the name ${name}`)
  return found
}

const { READ_COMMITTED, READ_UNCOMMITTED } = KafkaJS.IsolationLevel
const isolationOf = (isolation: string | undefined) =>
  isolation === 'read_committed' ? READ_COMMITTED : READ_UNCOMMITTED
const namesOf = (list: object): readonly string[] =>
  Object.entries(list).reduce((names: string[], [name, code]) => {
    if (typeof code === 'number') names[code] = name
    return names
  }, [])
/** STABLE to Stable, PREPARING_REBALANCE to PreparingRebalance. */
const asKafka = (name = ''): string =>
  name.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
const stateNames = namesOf(KafkaJS.ConsumerGroupStates).map(asKafka)
const typeNames = namesOf(KafkaJS.ConsumerGroupTypes).map((name) => name.toLowerCase())

const handlers: Handlers = {
  async createTopic({ topic, partitions, configs = {} }) {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const topics = [{ topic, numPartitions: partitions, configEntries }]
    if (!(await (await connected()).createTopics({ topics, timeout }))) {
      throw new Refused('TOPIC_ALREADY_EXISTS', 'createTopics answered false')
    }
    return {}
  },
  async deleteTopic({ topic }) {
    await (await connected()).deleteTopics({ topics: [topic], timeout })
    return {}
  },
  async listTopics() {
    return { topics: await (await connected()).listTopics({ timeout }) }
  },
  async describeTopic({ topic }) {
    const [found] = await (await connected()).fetchTopicMetadata({ topics: [topic], timeout })
    const partitions = found!.partitions.map(({ partitionId, leader, replicas }) => ({
      partition: partitionId,
      leader,
      replicas,
    }))
    return { partitions: partitions.sort((a, b) => a.partition - b.partition) }
  },
  async deleteRecords({ topic, partition, before }) {
    const partitions = [{ partition, offset: String(before) }]
    await (await connected()).deleteTopicRecords({ topic, partitions, timeout })
    return {}
  },
  async offsetAt({ topic, partition, at, isolation }) {
    const options = { timeout, isolationLevel: isolationOf(isolation) }
    await connected()
    if (typeof at === 'number') {
      const found = await admin.fetchTopicOffsetsByTimestamp(topic, at, options)
      return { offset: Number(found.find((each) => each.partition === partition)!.offset) }
    }
    const found = (await admin.fetchTopicOffsets(topic, options)).find((each) => each.partition === partition)
    if (found === undefined) throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${partition}`)
    return { offset: Number(at === 'start' ? found.low : found.high) }
  },
  async listGroups({ states, types }) {
    const matching = (wanted: readonly string[] | undefined, names: readonly string[]) =>
      wanted?.map((word) => names.findIndex((name) => name?.toLowerCase() === word.toLowerCase()))
    const asked = {
      timeout,
      ...(states && { matchConsumerGroupStates: matching(states, stateNames)! }),
      ...(types && { matchConsumerGroupTypes: matching(types, typeNames)! }),
    }
    const { groups } = await (await connected()).listGroups(asked)
    return {
      groups: groups.map(({ groupId, state, type }) => ({
        group: groupId,
        state: stateNames[state] ?? null,
        type: typeNames[type] ?? null,
      })),
    }
  },
  async describeGroup({ group }) {
    const { groups } = await (await connected()).describeGroups([group], { timeout })
    const { state, protocol, members, error } = groups[0]!
    if (error !== undefined && error !== null) throw error
    return {
      state: stateNames[state]!,
      protocol,
      members: members.map(({ clientId, groupInstanceId, assignment }) => ({
        clientId,
        instance: groupInstanceId ?? null,
        assigned: (assignment?.topicPartitions ?? []).map(({ topic, partition }) => ({ topic, partition })),
      })),
    }
  },
  async deleteGroup({ group }) {
    const [deleted] = await (await connected()).deleteGroups([group], { timeout })
    if (deleted?.error) throw deleted.error
    return {}
  },
  async groupOffsets({ group, topic }) {
    const [found] = await (await connected()).fetchOffsets({ groupId: group, topics: [topic], timeout })
    const known = (found?.partitions ?? []).filter(({ offset }) => Number(offset) >= 0)
    return {
      offsets: known.map(({ partition, offset, metadata }) => ({
        partition,
        offset: Number(offset),
        metadata: metadata ?? '',
      })),
    }
  },

  async openProducer({
    producer: name,
    acks = 'all',
    codec = 'none',
    idempotent = false,
    transactionalId,
    transactionTimeoutMs: transactionMs = 60_000,
    batchBytes,
  }) {
    const producer = kafka.producer({
      'linger.ms': 5,
      ...(transactionalId !== undefined && { 'transactional.id': transactionalId }),
      'transaction.timeout.ms': transactionMs,
      'message.timeout.ms': transactionalId === undefined ? 100_000 : transactionMs,
      'socket.timeout.ms': Math.min(60_000, transactionMs),
      ...(batchBytes !== undefined && { 'batch.size': batchBytes }),
      'message.max.bytes': 2_000_000, // the broker's limit is what is asked about
      acks: acks === 'all' ? -1 : acks,
      'compression.codec': codec,
      'enable.idempotence': idempotent || transactionalId !== undefined,
    } as Parameters<typeof kafka.producer>[0])
    await producer.connect()
    producers.set(name, producer)
    return {}
  },
  async produce({ producer: name, topic, records }) {
    const answers = await named(producers, name).send({ topic, messages: records.map(message) })
    const [only, ...others] = answers
    if (only?.baseOffset === undefined || others.length > 0 || Number(only.baseOffset) < 0) return { offsets: null }
    return { offsets: records.map((_, i) => Number(only.baseOffset) + i) }
  },
  async beginTransaction({ producer: name }) {
    await named(producers, name).transaction()
    return {}
  },
  async sendOffsets({ producer: name, consumer: of, offsets }) {
    if (of === undefined) throw new Cannot('its transactions take offsets only from a consumer')
    const topics = offsets.map(({ topic, partition, offset }) => ({
      topic,
      partitions: [{ partition, offset: String(offset) }],
    }))
    await named(producers, name).sendOffsets({ consumer: named(consumers, of).consumer, topics })
    return {}
  },
  async commitTransaction({ producer: name }) {
    await named(producers, name).commit()
    return {}
  },
  async abortTransaction({ producer: name }) {
    await named(producers, name).abort()
    return {}
  },
  async closeProducer({ producer: name }) {
    await producers.get(name)?.disconnect()
    producers.delete(name)
    return {}
  },

  async openConsumer({ consumer: name, topic, partition, from, isolation, fetchBytes }) {
    const limits = fetchBytes === undefined ? {} : { maxBytes: fetchBytes, maxBytesPerPartition: fetchBytes }
    const groupId = `compat-confluent-${Math.random()}` // it has no consumer without a group
    const readUncommitted = isolation !== 'read_committed'
    const held = new Consumer({ groupId, readUncommitted, fromBeginning: true, ...limits }, {}, partition)
    const offset = typeof from === 'object' && 'offset' in from ? from.offset : await place(topic, partition, from)
    consumers.set(name, held)
    await held.run([topic], { topic, partition, offset: String(offset) })
    return {}
  },
  async joinGroup({
    consumer: name,
    group,
    topics,
    pattern,
    protocol = 'classic',
    assignor,
    instance,
    reset = 'earliest',
    isolation,
    sessionTimeoutMs,
  }) {
    const isClassic = protocol === 'classic'
    const held = new Consumer(
      { groupId: group, readUncommitted: isolation !== 'read_committed', fromBeginning: reset === 'earliest' },
      {
        'group.protocol': protocol,
        ...(isClassic && { 'session.timeout.ms': sessionTimeoutMs ?? 6_000, 'heartbeat.interval.ms': 200 }),
        ...(isClassic && assignor !== undefined && { 'partition.assignment.strategy': assignor }),
        ...(!isClassic && assignor !== undefined && { 'group.remote.assignor': assignor }),
        ...(instance !== undefined && { 'group.instance.id': instance }),
      },
    )
    consumers.set(name, held)
    await held.run(pattern === undefined ? (topics ?? []) : [new RegExp(`^${pattern}`)])
    return {}
  },
  async poll({ consumer: name, ms }) {
    const held = named(consumers, name)
    return { records: await held.take(ms), assigned: held.assigned }
  },
  async commitOffsets({ consumer: name, offsets }) {
    const held = named(consumers, name)
    const given = offsets?.map(({ topic, partition, offset, metadata }) => ({
      topic,
      partition,
      offset: String(offset),
      ...(metadata !== undefined && { metadata }),
    }))
    const wanted = given ?? [...held.positions.values()]
    await held.consumer.commitOffsets(wanted)
    // It answers before the broker has; one that is tried again later would undo the next one.
    while (!(await isCommitted(held.consumer, wanted))) await sleep(20)
    return {}
  },
  async pause({ consumer: name, partitions }) {
    const { consumer, inbox } = named(consumers, name)
    for (const { topic, partition } of partitions) {
      consumer.pause([{ topic, partitions: [partition] }])
      inbox.pause(topic, partition)
    }
    return {}
  },
  async resume({ consumer: name, partitions }) {
    const { consumer, inbox } = named(consumers, name)
    for (const { topic, partition } of partitions) {
      consumer.resume([{ topic, partitions: [partition] }])
      inbox.resume(topic, partition)
    }
    return {}
  },
  async seek({ consumer: name, topic, partition, offset }) {
    const { consumer, inbox } = named(consumers, name)
    inbox.forget(topic, partition)
    consumer.seek({ topic, partition, offset: String(offset) })
    return {}
  },
  async closeConsumer({ consumer: name }) {
    await consumers.get(name)?.consumer.disconnect()
    consumers.delete(name)
    return {}
  },
}

async function isCommitted(consumer: KafkaConsumer, wanted: { topic: string; partition: number; offset: string }[]) {
  const found = await consumer.committed(wanted, timeout)
  return wanted.every(({ topic, partition, offset }) =>
    found.some((one) => one.topic === topic && one.partition === partition && String(one.offset) === offset),
  )
}

async function place(topic: string, partition: number, from: 'start' | 'end' | { timestamp: number }): Promise<number> {
  const at = typeof from === 'object' ? from.timestamp : from
  return (await handlers.offsetAt!({ topic, partition, at })).offset
}

/** Codes above 0 are Kafka's own, those below librdkafka's; some of the client's errors have a list of others in them. */
const localNames: { readonly [code: string]: string } = {
  '-144': 'PRODUCER_FENCED',
  '-188': 'UNKNOWN_TOPIC_OR_PARTITION',
}

function nameOf(problem: unknown): string | undefined {
  const { code, errors, groups, partitions, error } = problem as { [field: string]: unknown }
  if (typeof code === 'number' && code !== 0) {
    const name = code > 0 ? errorName(code) : localNames[String(code)]
    if (name !== undefined) return name
  }
  for (const inner of [error, ...[errors, groups, partitions].flatMap((list) => (Array.isArray(list) ? list : []))]) {
    const name = inner && typeof inner === 'object' ? nameOf(inner) : undefined
    if (name !== undefined) return name
  }
  return undefined
}

const name = '@confluentinc/kafka-javascript'
const silent = `a consumer of ${name} says nothing of what is refused`
const none = (what: string): string => `${name} has no ${what}`
const cannot = {
  createPartitions: none('CreatePartitions'),
  describeConfigs: none('DescribeConfigs'),
  alterConfigs: none('IncrementalAlterConfigs'),
  replaceConfigs: none('AlterConfigs'),
  describeCluster: none('DescribeCluster'),
  describeLogDirs: none('DescribeLogDirs'),
  setGroupOffsets: none('call that sets the offsets of a group without a member'),
  deleteGroupOffsets: none('OffsetDelete'),
  describeProducers: none('DescribeProducers'),
  listTransactions: none('ListTransactions'),
  describeTransaction: none('DescribeTransactions'),
  setQuotas: none('client quotas'),
  describeQuotas: none('client quotas'),
  joinShare: none('share groups'),
  'offsetAt.at=youngest': `${name} does not ask for the youngest record`,
  'poll.empty': `${name} reads an empty key or value as null`,
  'consumer-group.unknown-assignor': silent,
  'set.missing': silent,
  'joinGroup.assignor=sticky': 'librdkafka’s only sticky assignor is the cooperative one',
  ...(features.includes('zstd') ? {} : { 'openProducer.codec=zstd': 'it was compiled here without zstd' }),
}
const version = `${own.version} (librdkafka ${librdkafkaVersion})`

await serve({ client: 'confluent-javascript', version, clientId, cannot }, handlers, nameOf)
