// KafkaJS with the few verbs the scenarios need.
import kafkajs from 'kafkajs'
import { until } from '../process.ts'
import { fresh, type KafkaRecord } from '../records.ts'

export interface SendOptions {
  readonly acks?: number
  readonly compression?: number
  readonly partition?: number
  /** One per record; the broker's receipt plays no part then. */
  readonly timestamps?: readonly number[]
}

export interface ReadOptions {
  readonly groupId?: string
  readonly partition?: number
  readonly fromOffset?: string
}

export class Client {
  readonly kafka: kafkajs.Kafka
  readonly admin: kafkajs.Admin
  readonly #open: { disconnect(): Promise<void> }[] = []

  private constructor(bootstrap: string) {
    this.kafka = new kafkajs.Kafka({
      clientId: 'compat-kafkajs',
      brokers: [bootstrap],
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 60 }, // long enough for a restart of a slow broker
    })
    // KafkaJS also tries again what never helps, such as deleting a topic that is not there.
    this.admin = this.kafka.admin({ retry: { initialRetryTime: 100, retries: 3 } })
  }

  static async connect(bootstrap: string): Promise<Client> {
    const client = new Client(bootstrap)
    await client.admin.connect()
    client.#open.push(client.admin)
    return client
  }

  async disconnect(): Promise<void> {
    for (const part of this.#open.splice(0).reverse()) await part.disconnect()
  }

  async producer(config: kafkajs.ProducerConfig = {}): Promise<kafkajs.Producer> {
    const producer = this.kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner, ...config })
    await producer.connect()
    this.#open.push(producer)
    return producer
  }

  /** A joined member; `assigned` follows what its group gives it. */
  async member(groupId: string, topic: string, config: Partial<kafkajs.ConsumerConfig> = {}): Promise<Member> {
    const consumer = this.kafka.consumer({ groupId, heartbeatInterval: 200, maxWaitTimeInMs: 200, ...config })
    const member = new Member(consumer, topic)
    await consumer.connect()
    this.#open.push(consumer)
    return member
  }

  async createTopic(
    name: string,
    partitionCount = 1,
    config: { readonly [name: string]: string } = {},
  ): Promise<string> {
    const topic = fresh(`kafkajs-${name}`)
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
    await this.admin.createTopics({ topics: [{ topic, numPartitions: partitionCount, configEntries }] })
    return topic
  }

  async send(topic: string, records: readonly KafkaRecord[], options: SendOptions = {}): Promise<void> {
    const producer = await this.producer()
    const { acks = -1, compression = kafkajs.CompressionTypes.None, partition = 0, timestamps } = options
    const messages = records.map((record, i) => ({
      ...message(record, partition),
      ...(timestamps && { timestamp: String(timestamps[i]) }),
    }))
    await producer.send({ topic, acks, compression, messages })
  }

  /** Reads until `count` records have come. That no more are there is what `endOffset` tells. */
  async read(topic: string, count: number, options: ReadOptions = {}): Promise<KafkaRecord[]> {
    const { partition = 0, fromOffset, groupId = fresh('kafkajs-reader') + Math.random() } = options
    const member = await this.member(groupId, topic)
    await member.run({ fromBeginning: true, ...(fromOffset && { seek: { partition, offset: fromOffset } }) })
    try {
      await until(`${count} records came from ${topic}`, () => member.seen.length >= count)
      return member.seen.map(({ record }) => record)
    } finally {
      await member.leave()
    }
  }

  async endOffset(topic: string, partition = 0): Promise<number> {
    return Number((await this.#offsets(topic, partition)).high)
  }

  async startOffset(topic: string, partition = 0): Promise<number> {
    return Number((await this.#offsets(topic, partition)).low)
  }

  async #offsets(topic: string, partition: number) {
    const found = (await this.admin.fetchTopicOffsets(topic)).find((entry) => entry.partition === partition)
    if (!found) throw new Error(`${topic} has no partition ${partition}`)
    return found
  }
}

export interface Seen {
  readonly partition: number
  readonly offset: number
  readonly record: KafkaRecord
}

export class Member {
  readonly consumer: kafkajs.Consumer
  readonly seen: Seen[] = []
  readonly #topic: string
  assigned: readonly number[] = []
  fetchCount = 0

  constructor(consumer: kafkajs.Consumer, topic: string) {
    this.consumer = consumer
    this.#topic = topic
    consumer.on('consumer.group_join', ({ payload }) => {
      this.assigned = [...(payload.memberAssignment[topic] ?? [])].sort()
    })
    consumer.on('consumer.fetch', () => {
      this.fetchCount++
    })
  }

  async run(options: {
    readonly fromBeginning: boolean
    readonly autoCommit?: boolean
    readonly seek?: { readonly partition: number; readonly offset: string }
  }): Promise<void> {
    const { fromBeginning, autoCommit = true, seek } = options
    await this.consumer.subscribe({ topic: this.#topic, fromBeginning })
    await this.consumer.run({
      autoCommit,
      eachMessage: async ({ partition, message }) => {
        this.seen.push({ partition, offset: Number(message.offset), record: recordOf(message) })
      },
    })
    if (seek) this.consumer.seek({ topic: this.#topic, ...seek })
  }

  async leave(): Promise<void> {
    await this.consumer.disconnect()
    this.assigned = []
  }
}

export function message({ key, value, headers }: KafkaRecord, partition: number): kafkajs.Message {
  const byName: { [name: string]: Buffer | Buffer[] } = {}
  for (const [name, held] of headers) {
    const before = byName[name]
    byName[name] = before === undefined ? held! : [before, held!].flat() // KafkaJS writes a list as one header each
  }
  return { key, value, partition, headers: byName }
}

function recordOf({ key, value, headers }: kafkajs.KafkaMessage): KafkaRecord {
  const pairs = Object.entries(headers ?? {}).flatMap(([name, held]) =>
    [held].flat().map((each) => [name, each === undefined ? null : Buffer.from(each)] as const),
  )
  return { key, value, headers: pairs }
}

/** What a request was refused with; undefined when it was not refused, which no expectation matches. */
export async function refusal(request: Promise<unknown>): Promise<unknown> {
  return request.then(
    () => undefined,
    (problem: unknown) => problem,
  )
}
