// KafkaJS as a hand: a client written in JavaScript alone, with its own idea of the older protocol versions.
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { Cannot, Refused } from '../hand.ts'
import { compressionOf, plugIn } from './codecs.ts'
import { message, named, place, Reading, reading } from './like-kafkajs.ts'
import { bootstrap, type Handlers, serve } from './serve.ts'

const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string }
const { COMPAT_CLIENT_ID: clientId = 'compat-kafkajs' } = process.env
const kafka = new kafkajs.Kafka({
  clientId,
  brokers: [bootstrap],
  logLevel: kafkajs.logLevel.NOTHING,
  retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 60 }, // long enough for a restart of a slow broker
})
// KafkaJS also tries again what never helps, such as deleting a topic that is not there.
const admin = kafka.admin({ retry: { initialRetryTime: 100, retries: 3 } })
let adminConnected: Promise<void> | undefined
const withoutCodec = await plugIn()

const producers = new Map<string, Producer>()
const consumers = new Map<string, Consumer>()

interface Producer {
  readonly producer: kafkajs.Producer
  readonly acks: number
  readonly compression: number
  /** Begun, and not yet asked for. */
  waiting: kafkajs.Transaction | undefined
  transaction?: kafkajs.Transaction | undefined
}

class Consumer extends Reading<kafkajs.Consumer> {
  assigned: { topic: string; partition: number }[] = []
  /** How often the broker has taken offsets: KafkaJS answers as if it had, where the member is just about to come back. */
  commitCount = 0

  constructor(config: kafkajs.ConsumerConfig, only?: number) {
    const consumer = kafka.consumer({
      heartbeatInterval: 200,
      maxWaitTimeInMs: 100,
      rebalanceTimeout: 6_000,
      allowAutoTopicCreation: false,
      ...config,
    })
    super(consumer, only)
    consumer.on('consumer.commit_offsets', () => {
      this.commitCount++
    })
    consumer.on('consumer.group_join', ({ payload: { memberAssignment } }) => {
      this.assigned = Object.entries(memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map((partition) => ({ topic, partition })),
      )
    })
  }

  async run(topics: string[], fromBeginning: boolean): Promise<void> {
    await this.consumer.connect()
    await this.consumer.subscribe({ topics, fromBeginning })
    await this.consumer.run({ autoCommit: false, eachMessage: this.put })
  }
}

async function connected(): Promise<kafkajs.Admin> {
  adminConnected ??= admin.connect()
  await adminConnected
  return admin
}

const handlers: Handlers = {
  async createTopic({ topic, partitions, configs = {} }) {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const made = await (await connected()).createTopics({
      topics: [{ topic, numPartitions: partitions, configEntries }],
    })
    if (!made) throw new Refused('TOPIC_ALREADY_EXISTS', 'createTopics answered false')
    return {}
  },
  async deleteTopic({ topic }) {
    await (await connected()).deleteTopics({ topics: [topic] })
    return {}
  },
  async listTopics() {
    return { topics: await (await connected()).listTopics() }
  },
  async describeTopic({ topic }) {
    const { topics } = await (await connected()).fetchTopicMetadata({ topics: [topic] })
    const partitions = topics[0]!.partitions.map(({ partitionId, leader, replicas }) => ({
      partition: partitionId,
      leader,
      replicas,
    }))
    return { partitions: partitions.sort((a, b) => a.partition - b.partition) }
  },
  async createPartitions({ topic, count }) {
    await (await connected()).createPartitions({ topicPartitions: [{ topic, count }] })
    return {}
  },
  async describeConfigs({ resource, name, names }) {
    const { TOPIC, BROKER } = kafkajs.ConfigResourceTypes
    const { resources } = await (await connected()).describeConfigs({
      includeSynonyms: false,
      resources: [{ type: resource === 'topic' ? TOPIC : BROKER, name, configNames: names }],
    })
    const entries = resources[0]!.configEntries.map(
      ({ configName, configValue, readOnly, configSource }) =>
        [configName, { value: configValue, source: sources[configSource] ?? null, readOnly }] as const,
    )
    return { configs: Object.fromEntries(entries) }
  },
  async replaceConfigs({ name, configs }) {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    await (await connected()).alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries }],
    })
    return {}
  },
  async deleteRecords({ topic, partition, before }) {
    await (await connected()).fetchTopicMetadata({ topics: [topic] })
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] })
    return {}
  },
  async offsetAt({ topic, partition, at }) {
    await connected()
    if (typeof at === 'number') {
      const found = await admin.fetchTopicOffsetsByTimestamp(topic, at)
      return { offset: Number(found.find((each) => each.partition === partition)!.offset) }
    }
    const found = (await admin.fetchTopicOffsets(topic)).find((each) => each.partition === partition)
    if (found === undefined) throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${partition}`)
    return { offset: Number(at === 'start' ? found.low : found.high) }
  },
  async describeCluster() {
    const { clusterId, controller, brokers } = await (await connected()).describeCluster()
    const named = brokers.map(({ nodeId, host, port }) => ({ id: nodeId, host, port }))
    return { clusterId, controller: controller ?? -1, brokers: named }
  },
  async listGroups() {
    const { groups } = await (await connected()).listGroups()
    return { groups: groups.map(({ groupId }) => ({ group: groupId, state: null, type: null })) }
  },
  async describeGroup({ group }) {
    const { groups } = await (await connected()).describeGroups([group])
    const { state, protocol, members } = groups[0]!
    return {
      state,
      protocol,
      members: members.map(({ clientId, memberAssignment }) => {
        const decoded = kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment)
        const assigned = Object.entries(decoded?.assignment ?? {}).flatMap(([topic, partitions]) =>
          partitions.map((partition) => ({ topic, partition })),
        )
        return { clientId, instance: null, assigned }
      }),
    }
  },
  async deleteGroup({ group }) {
    await (await connected()).deleteGroups([group])
    return {}
  },
  async groupOffsets({ group, topic }) {
    const [found] = await (await connected()).fetchOffsets({ groupId: group, topics: [topic] })
    const known = found!.partitions.filter(({ offset }) => offset !== '-1')
    return {
      offsets: known.map(({ partition, offset, metadata }) => ({
        partition,
        offset: Number(offset),
        metadata: metadata ?? '',
      })),
    }
  },
  async setGroupOffsets({ group, offsets }) {
    const { topic } = offsets[0]!
    const partitions = offsets.map(({ partition, offset }) => ({ partition, offset: String(offset) }))
    await (await connected()).setOffsets({ groupId: group, topic, partitions })
    return {}
  },

  async openProducer({
    producer: name,
    acks = 'all',
    codec = 'none',
    idempotent = false,
    transactionalId,
    transactionTimeoutMs,
  }) {
    const why = codec in withoutCodec ? withoutCodec[codec] : undefined
    if (why !== undefined) throw new Cannot(why)
    const producer = kafka.producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      idempotent: idempotent || transactionalId !== undefined,
      ...((idempotent || transactionalId !== undefined) && { maxInFlightRequests: 1 }),
      ...(transactionalId !== undefined && { transactionalId }),
      ...(transactionTimeoutMs !== undefined && { transactionTimeout: transactionTimeoutMs }),
    })
    await producer.connect()
    // KafkaJS asks for its epoch, and so fences others, only when the first transaction begins.
    const waiting = transactionalId === undefined ? undefined : await producer.transaction()
    producers.set(name, { producer, acks: acks === 'all' ? -1 : acks, compression: compressionOf[codec], waiting })
    return {}
  },
  async produce({ producer: name, topic, records }) {
    const { producer, transaction, acks, compression } = named(producers, name)
    const messages = records.map((each) => message(each, 'KafkaJS'))
    const answers = await (transaction ?? producer).send({ topic, acks, compression, messages })
    const [only, ...others] = answers
    if (only === undefined || others.length > 0 || acks === 0) return { offsets: null }
    return { offsets: records.map((_, i) => Number(only.baseOffset) + i) }
  },
  async beginTransaction({ producer: name }) {
    const held = named(producers, name)
    held.transaction = held.waiting ?? (await held.producer.transaction())
    held.waiting = undefined
    return {}
  },
  async sendOffsets({ producer: name, group, offsets }) {
    const topics = offsets.map(({ topic, partition, offset }) => ({
      topic,
      partitions: [{ partition, offset: String(offset) }],
    }))
    await named(producers, name).transaction!.sendOffsets({ consumerGroupId: group, topics })
    return {}
  },
  async commitTransaction({ producer: name }) {
    const held = named(producers, name)
    await held.transaction!.commit()
    held.transaction = undefined
    return {}
  },
  async abortTransaction({ producer: name }) {
    const held = named(producers, name)
    await held.transaction!.abort()
    held.transaction = undefined
    return {}
  },
  async closeProducer({ producer: name }) {
    await producers.get(name)?.producer.disconnect()
    producers.delete(name)
    return {}
  },

  async openConsumer({ consumer: name, topic, partition, from, isolation, fetchBytes }) {
    await connected()
    const limits = fetchBytes === undefined ? {} : { maxBytes: fetchBytes, maxBytesPerPartition: fetchBytes }
    const groupId = `compat-kafkajs-${Math.random()}` // it has no consumer without a group
    const held = new Consumer({ groupId, readUncommitted: isolation !== 'read_committed', ...limits }, partition)
    const offset =
      typeof from === 'object' && 'offset' in from ? from.offset : await place(handlers, topic, partition, from)
    consumers.set(name, held)
    await held.run([topic], true)
    await seekWhenRunning(held.consumer, topic, partition, offset)
    return {}
  },
  async joinGroup({ consumer: name, group, topics = [], reset = 'earliest', isolation, sessionTimeoutMs }) {
    const session = sessionTimeoutMs === undefined ? {} : { sessionTimeout: sessionTimeoutMs }
    const held = new Consumer({ groupId: group, readUncommitted: isolation !== 'read_committed', ...session })
    consumers.set(name, held)
    await held.run(topics, reset === 'earliest')
    return {}
  },
  async commitOffsets({ consumer: name, offsets }) {
    const held = named(consumers, name)
    const before = held.commitCount
    const given = offsets?.map((each) => ({ ...each, offset: String(each.offset) }))
    await held.consumer.commitOffsets(given ?? [...held.positions.values()])
    if (given !== undefined && held.commitCount === before) throw new Refused('CLIENT', 'the member is not there')
    return {}
  },
  ...reading(consumers),
}

/** `run` returns before a group that has to try again is there, and `seek` takes that for a mistake. */
async function seekWhenRunning(consumer: kafkajs.Consumer, topic: string, partition: number, offset: number) {
  for (let attempt = 0; ; attempt++) {
    try {
      return consumer.seek({ topic, partition, offset: String(offset) })
    } catch (problem) {
      if (attempt === 100) throw problem
      await sleep(100)
    }
  }
}

const sources: { readonly [code: number]: string } = {
  1: 'DYNAMIC_TOPIC_CONFIG',
  2: 'DYNAMIC_BROKER_CONFIG',
  3: 'DYNAMIC_DEFAULT_BROKER_CONFIG',
  4: 'STATIC_BROKER_CONFIG',
  5: 'DEFAULT_CONFIG',
}

/** KafkaJS wraps the broker's answer in its own errors, some of them in lists. */
function nameOf(problem: unknown): string | undefined {
  const { type, cause, errors, groups, partitions, error } = problem as { [field: string]: unknown }
  if (typeof type === 'string' && /^[A-Z_]+$/.test(type)) return type
  for (const inner of [
    cause,
    error,
    ...[errors, groups, partitions].flatMap((list) => (Array.isArray(list) ? list : [])),
  ]) {
    const name = inner && typeof inner === 'object' ? nameOf(inner) : undefined
    if (name !== undefined) return name
  }
  return undefined
}

const cannot = {
  alterConfigs: 'KafkaJS has no IncrementalAlterConfigs',
  describeLogDirs: 'KafkaJS has no DescribeLogDirs',
  deleteGroupOffsets: 'KafkaJS has no OffsetDelete',
  describeProducers: 'KafkaJS has no DescribeProducers',
  listTransactions: 'KafkaJS has no ListTransactions',
  describeTransaction: 'KafkaJS has no DescribeTransactions',
  setQuotas: 'KafkaJS has no client quotas',
  describeQuotas: 'KafkaJS has no client quotas',
  joinShare: 'KafkaJS has no share groups',
  'offsetAt.at=youngest': 'KafkaJS does not ask for the youngest record',
  'offsetAt.isolation': 'KafkaJS asks for offsets without an isolation level',
  'listGroups.states': 'KafkaJS lists groups without filters',
  'listGroups.types': 'KafkaJS lists groups without filters',
  'joinGroup.protocol=consumer': 'KafkaJS knows only the classic group protocol',
  'joinGroup.assignor': 'KafkaJS brings only a round robin assignor',
  'joinGroup.instance': 'KafkaJS has no static members',
  'joinGroup.pattern': 'KafkaJS matches a pattern only once, when it subscribes',
}

await serve({ client: 'kafkajs', version, clientId, cannot }, handlers, nameOf)
