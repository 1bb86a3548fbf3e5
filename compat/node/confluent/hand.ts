// Confluent's client for Node as a hand, by the doors that it shares with KafkaJS; behind them is the newest librdkafka.
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import confluent from '@confluentinc/kafka-javascript'
import { errorName } from '../../../protocol/errors.ts'
import { Cannot, Refused } from '../../hand.ts'
import { message, named, place, Reading, reading } from '../like-kafkajs.ts'
import { bootstrap, type Handlers, serve } from '../serve.ts'

type Kafka = typeof confluent.KafkaJS
type Producer = ReturnType<InstanceType<Kafka['Kafka']>['producer']>
type KafkaConsumer = ReturnType<InstanceType<Kafka['Kafka']>['consumer']>

const client = '@confluentinc/kafka-javascript'
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

class Consumer extends Reading<KafkaConsumer> {
  constructor(config: object, more: object = {}, only?: number) {
    const all = {
      kafkaJS: { autoCommit: false, allowAutoTopicCreation: false, maxWaitTimeInMs: 100, ...config },
      ...more,
    }
    super(kafka.consumer(all as Parameters<typeof kafka.consumer>[0]), only)
  }

  async run(topics: (string | RegExp)[], place?: { topic: string; partition: number; offset: string }): Promise<void> {
    await this.consumer.connect()
    if (place !== undefined) this.consumer.seek(place)
    await this.consumer.subscribe({ topics })
    await this.consumer.run({ eachMessage: this.put })
  }

  get assigned() {
    return this.consumer.assignment().map(({ topic, partition }) => ({ topic, partition }))
  }
}

async function connected() {
  adminConnected ??= admin.connect()
  await adminConnected
  return admin
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
    const answers = await named(producers, name).send({ topic, messages: records.map((each) => message(each, client)) })
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
    const offset =
      typeof from === 'object' && 'offset' in from ? from.offset : await place(handlers, topic, partition, from)
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
  ...reading(consumers),
}

async function isCommitted(consumer: KafkaConsumer, wanted: { topic: string; partition: number; offset: string }[]) {
  const found = await consumer.committed(wanted, timeout)
  return wanted.every(({ topic, partition, offset }) =>
    found.some((one) => one.topic === topic && one.partition === partition && String(one.offset) === offset),
  )
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

const silent = `a consumer of ${client} says nothing of what is refused`
const none = (what: string): string => `${client} has no ${what}`
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
  'offsetAt.at=youngest': `${client} does not ask for the youngest record`,
  'poll.empty': `${client} reads an empty key or value as null`,
  'consumer-group.unknown-assignor': silent,
  'set.missing': silent,
  'joinGroup.assignor=sticky': 'librdkafka’s only sticky assignor is the cooperative one',
  ...(features.includes('zstd') ? {} : { 'openProducer.codec=zstd': 'it was compiled here without zstd' }),
}
const version = `${own.version} (librdkafka ${librdkafkaVersion})`

await serve({ client: 'confluent-javascript', version, clientId, cannot }, handlers, nameOf)
