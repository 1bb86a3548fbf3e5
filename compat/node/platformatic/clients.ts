// Producers and consumers of @platformatic/kafka, as platformatic.ts needs them.
import { randomUUID } from 'node:crypto'
import { type Admin, Consumer, type Message, type MessagesStream, Producer } from '@platformatic/kafka'
import { Cannot, type OffsetAt, packed, type RecordRead, type RecordToSend, unpacked, type Verbs } from '../../hand.ts'
import { bootstrap, Inbox } from '../serve.ts'
import { placeAt } from './admin.ts'

type Alone = Omit<Verbs['openConsumer']['ask'], 'consumer'>
type Joining = Omit<Verbs['joinGroup']['ask'], 'consumer'>

const common = { bootstrapBrokers: [bootstrap], retries: 300, retryDelay: 100, timeout: 10_000 }

export function openProducer(asked: Omit<Verbs['openProducer']['ask'], 'producer' | 'acks' | 'codec'>): Producer {
  const { idempotent = false, transactionalId } = asked
  return new Producer({
    ...common,
    clientId: 'compat-producer',
    idempotent: idempotent || transactionalId !== undefined,
    ...(transactionalId !== undefined && { transactionalId }),
  })
}

export function wireMessage(topic: string, given: RecordToSend) {
  const { key, value, headers } = unpacked(given)
  const pairs = headers.map(([name, held]) => {
    if (held === null) throw new Cannot('@platformatic/kafka sends no header without a value')
    return [Buffer.from(name), held] as const // a key of its own for each, so that one name may come twice
  })
  const { partition, timestamp } = given
  return {
    topic,
    ...(key !== null && { key }),
    ...(value !== null && { value }),
    headers: new Map(pairs),
    ...(partition !== undefined && { partition }),
    ...(timestamp !== undefined && { timestamp: BigInt(timestamp) }),
  }
}

export class Member {
  readonly inbox = new Inbox<RecordRead & { readonly message: Message }>()
  readonly consumer: Consumer
  readonly #topics: readonly string[]
  readonly #only: number | undefined
  #stream: MessagesStream<Buffer, Buffer, Buffer, Buffer> | undefined
  readonly #last = new Map<string, Message>()
  #problem: unknown
  #place: { topic: string; partition: number } | undefined

  private constructor(consumer: Consumer, topics: readonly string[], only?: number) {
    this.consumer = consumer
    this.#topics = topics
    this.#only = only
  }

  /** There is no reading without a group: it gets one that nobody else is in. */
  static async alone(admin: Admin, { topic, partition, from, isolation, fetchBytes }: Alone): Promise<Member> {
    const at = await placeAt(admin, topic, partition, from, isolation)
    const consumer = new Consumer({
      ...common,
      clientId: 'compat-reader',
      groupId: `alone-${randomUUID()}`,
      autocommit: false,
      maxWaitTime: 100,
      isolationLevel: isolation === 'read_committed' ? 1 : 0,
      ...(fetchBytes !== undefined && { maxBytes: fetchBytes, maxBytesPerPartition: fetchBytes }),
    })
    const member = new Member(consumer, [topic], partition)
    member.#place = { topic, partition }
    await member.#from(at)
    return member
  }

  static joining({
    group,
    topics = [],
    protocol,
    assignor,
    instance,
    reset,
    isolation,
    sessionTimeoutMs,
  }: Joining): Member {
    const kind =
      protocol === 'consumer'
        ? { groupProtocol: 'consumer' as const, ...(assignor !== undefined && { groupRemoteAssignor: assignor }) }
        : {
            heartbeatInterval: 300,
            sessionTimeout: sessionTimeoutMs ?? 30_000,
            rebalanceTimeout: Math.max(sessionTimeoutMs ?? 0, 30_000),
          }
    const consumer = new Consumer({
      ...common,
      clientId: 'compat-member',
      groupId: group,
      autocommit: false,
      maxWaitTime: 100,
      isolationLevel: isolation === 'read_committed' ? 1 : 0,
      ...(instance !== undefined && { groupInstanceId: instance }),
      ...kind,
    })
    const member = new Member(consumer, topics)
    consumer
      .consume({ topics: [...topics], mode: 'committed', fallbackMode: reset ?? 'earliest', autocommit: false })
      .then((stream) => member.#reads(stream))
      .catch((problem: unknown) => {
        member.#problem = problem
      })
    return member
  }

  async #from(offset: number): Promise<void> {
    const { topic, partition } = this.#place!
    const stream = await this.consumer.consume({
      topics: [topic],
      mode: 'manual',
      fallbackMode: 'latest',
      autocommit: false,
      offsets: [{ topic, partition, offset: BigInt(offset) }],
    })
    this.#reads(stream)
  }

  #reads(stream: MessagesStream<Buffer, Buffer, Buffer, Buffer>): void {
    this.#stream = stream
    stream.on('error', (problem) => {
      this.#problem = problem
    })
    stream.on('data', (message) => {
      const { topic, partition } = message
      if (this.#only !== undefined && partition !== this.#only) return
      const headers = [...message.headers].map(([name, held]) => [String(name), held] as const)
      const wire = packed({ key: message.key ?? null, value: message.value ?? null, headers })
      const [offset, timestamp] = [Number(message.offset), Number(message.timestamp)]
      this.inbox.put({ topic, partition, offset, timestamp, ...wire, message })
    })
  }

  async poll(ms: number) {
    const problem = this.#problem
    this.#problem = undefined
    if (problem !== undefined) throw problem
    const came = await this.inbox.take(ms)
    const records = came.map(({ message, ...record }) => {
      this.#last.set(`${record.topic} ${record.partition}`, message)
      return record
    })
    const assigned = this.#place
      ? [this.#place]
      : (this.consumer.assignments ?? []).flatMap(({ topic, partitions }) =>
          partitions.map((partition) => ({ topic, partition })),
        )
    return { records, assigned }
  }

  lastOf(topic: string, partition: number): Message | undefined {
    return this.#last.get(`${topic} ${partition}`)
  }

  async commit(offsets: readonly OffsetAt[] | undefined): Promise<void> {
    if (offsets?.some(({ metadata }) => metadata !== undefined)) {
      throw new Cannot('@platformatic/kafka commits no metadata')
    }
    const owned = new Set(
      (this.consumer.assignments ?? []).flatMap((each) => each.partitions.map((p) => `${each.topic} ${p}`)),
    )
    const behind = [...this.#last.values()]
      .filter(({ topic, partition }) => owned.has(`${topic} ${partition}`))
      .map(({ topic, partition, offset }) => ({ topic, partition, offset: offset + 1n, leaderEpoch: -1 }))
    const given = offsets?.map(({ topic, partition, offset }) => ({
      topic,
      partition,
      offset: BigInt(offset),
      leaderEpoch: -1,
    }))
    const wanted = given ?? behind
    if (wanted.length > 0) await this.consumer.commit({ offsets: wanted })
  }

  async seek(topic: string, partition: number, offset: number): Promise<void> {
    if (this.#place === undefined) throw new Cannot('a member of a group in @platformatic/kafka cannot seek')
    await this.#stream!.close()
    this.inbox.forget(topic, partition)
    await this.#from(offset)
  }

  async close(): Promise<void> {
    await (this.#stream?.close() as unknown as Promise<void> | undefined)?.catch(() => {})
    await (this.consumer.close(true) as unknown as Promise<void>).catch(() => {})
  }

  get topics(): readonly string[] {
    return this.#topics
  }
}
