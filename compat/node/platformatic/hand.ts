// @platformatic/kafka as a hand: the youngest client of Node, whose consumers are always members of a group.
import { createRequire } from 'node:module'
import { Admin, type Consumer, type Producer } from '@platformatic/kafka'
import { Cannot, type OffsetAt } from '../../hand.ts'
import { bootstrap, type Handlers, serve } from '../serve.ts'
import { adminVerbs } from './admin.ts'
import { Member, openProducer, wireMessage } from './clients.ts'

type Transaction = Awaited<ReturnType<Producer['beginTransaction']>>

const resultsHidden = '@platformatic/kafka reads no topic that is internal, and results stand in one'

const { dependencies } = createRequire(import.meta.url)('./package.json') as {
  dependencies: { [name: string]: string }
}
const version = dependencies['@platformatic/kafka']!
process.on('unhandledRejection', (problem) => console.error(problem)) // a stream that is closed while it still asks

const admin = new Admin({ clientId: 'compat-admin', bootstrapBrokers: [bootstrap], metadataMaxAge: 0, retries: 0 })

interface Open {
  readonly producer: Producer
  readonly acks: number
  readonly codec: string
  transaction: Transaction | undefined
}
const producers = new Map<string, Open>()
const members = new Map<string, Member>()

function named<T>(held: ReadonlyMap<string, T>, name: string): T {
  const found = held.get(name)
  if (found === undefined) throw new Error(`nothing is open under the name ${name}`)
  return found
}

/** Only offsets of messages that the named consumer gave can be part of a transaction. */
async function addOffsets(transaction: Transaction, member: Member, offsets: readonly OffsetAt[]): Promise<void> {
  await transaction.addConsumer(member.consumer as Consumer)
  for (const { topic, partition, offset } of offsets) {
    const message = member.lastOf(topic, partition)
    if (message === undefined || Number(message.offset) !== offset - 1) {
      throw new Cannot(
        '@platformatic/kafka adds only the offset of a message, and this one is not the last that was given',
      )
    }
    await transaction.addOffset(message)
  }
}

const handlers: Handlers = {
  ...adminVerbs(admin),

  async openProducer({ producer, acks = 'all', codec = 'none', ...rest }) {
    const opened = openProducer(rest)
    producers.set(producer, { producer: opened, acks: acks === 'all' ? -1 : acks, codec, transaction: undefined })
    return {}
  },
  async produce({ producer, topic, records }) {
    const { producer: sender, acks, codec, transaction } = named(producers, producer)
    const options = {
      messages: records.map((record) => wireMessage(topic, record)),
      acks,
      compression: codec as 'none',
      autocreateTopics: true,
    }
    const { offsets } = await (transaction ?? sender).send(options)
    const { partition } = records[0]!
    if (acks === 0 || partition === undefined) return { offsets: null }
    const first = offsets?.find((each) => each.partition === partition)?.offset
    return { offsets: first === undefined ? null : records.map((_, i) => Number(first) + i) }
  },
  async beginTransaction({ producer }) {
    const open = named(producers, producer)
    open.transaction = await open.producer.beginTransaction()
    return {}
  },
  async sendOffsets({ producer, consumer, offsets }) {
    if (consumer === undefined)
      throw new Cannot('@platformatic/kafka adds only offsets of messages that a consumer gave')
    await addOffsets(named(producers, producer).transaction!, named(members, consumer), offsets)
    return {}
  },
  async commitTransaction({ producer }) {
    const open = named(producers, producer)
    await open.transaction!.commit()
    open.transaction = undefined
    return {}
  },
  async abortTransaction({ producer }) {
    const open = named(producers, producer)
    await open.transaction!.abort()
    open.transaction = undefined
    return {}
  },
  async closeProducer({ producer }) {
    const open = producers.get(producer)
    producers.delete(producer)
    await (open?.transaction?.cancel() as Promise<void> | undefined)?.catch(() => {})
    await (open?.producer.close(true) as Promise<void> | undefined)?.catch(() => {})
    return {}
  },

  async openConsumer({ consumer, ...asked }) {
    members.set(consumer, await Member.alone(admin, asked))
    return {}
  },
  async joinGroup({ consumer, ...asked }) {
    members.set(consumer, Member.joining(asked))
    return {}
  },
  async poll({ consumer, ms }) {
    return named(members, consumer).poll(ms)
  },
  async commitOffsets({ consumer, offsets }) {
    await named(members, consumer).commit(offsets)
    return {}
  },
  async pause({ consumer, partitions }) {
    for (const { topic, partition } of partitions) named(members, consumer).inbox.pause(topic, partition)
    return {}
  },
  async resume({ consumer, partitions }) {
    for (const { topic, partition } of partitions) named(members, consumer).inbox.resume(topic, partition)
    return {}
  },
  async seek({ consumer, topic, partition, offset }) {
    await named(members, consumer).seek(topic, partition, offset)
    return {}
  },
  async closeConsumer({ consumer }) {
    const member = members.get(consumer)
    members.delete(consumer)
    await member?.close()
    return {}
  },
}

/** Errors hold errors; the innermost has Kafka's name. */
function nameOf(problem: unknown): string | undefined {
  const { apiId, errors = [], cause } = problem as { apiId?: string; errors?: readonly unknown[]; cause?: unknown }
  if (apiId !== undefined) return apiId === 'UNKNOWN_SERVER_ERROR' ? undefined : apiId // it does not know newer ones
  for (const inner of [...errors, cause]) {
    const name = inner === undefined || inner === null ? undefined : nameOf(inner)
    if (name !== undefined) return name
  }
  return undefined
}

const noSuch = '@platformatic/kafka has no such call'
const noShare = '@platformatic/kafka has no share consumer'
await serve(
  {
    client: '@platformatic/kafka',
    version,
    cannot: {
      'branch.command': resultsHidden,
      'branch.transaction': resultsHidden,
      'branch.transaction-goes-on': resultsHidden,
      'branch.set': resultsHidden,
      'branch.promote': resultsHidden,
      'branch.pattern-848': resultsHidden,
      'branch.append': resultsHidden,
      'branch.three-way': resultsHidden,
      'branch.park': resultsHidden,
      'describeGroup.type=consumer': '@platformatic/kafka describes classic groups only',
      'describeGroup.type=share': '@platformatic/kafka describes classic groups only',
      'joinGroup.pattern': '@platformatic/kafka does not subscribe to patterns',
      'joinGroup.assignor=range': '@platformatic/kafka leaves assignors to the application',
      'joinGroup.assignor=cooperative-sticky': '@platformatic/kafka leaves assignors to the application',
      'joinGroup.instance': 'a static member of @platformatic/kafka leaves its group when it closes',
      'openProducer.codec=zstd': '@platformatic/kafka needs the zstd of Node 22.15',
      'topic.recreated-under-client': 'a member of @platformatic/kafka goes on asking for the topic that was deleted',
      'produce.append-time': '@platformatic/kafka shows the time of the producer where the broker’s counts',
      'txn.fencing': '@platformatic/kafka fences the older producer only when it begins a transaction',
      'txn.SIGKILL': '@platformatic/kafka is fenced once its broker was killed under a transaction, by Kafka too',
      'txn.empty': '@platformatic/kafka ends a transaction that never began, which Kafka refuses',
      'txn.transfers': '@platformatic/kafka shows aborted records where one fetch brings several transactions',
      'openProducer.transactionTimeoutMs': '@platformatic/kafka does not set the timeout of a transaction',
      describeProducers: noSuch,
      listTransactions: noSuch,
      describeTransaction: noSuch,
      joinShare: noShare,
      pollShare: noShare,
      acknowledge: noShare,
      closeShare: noShare,
    },
  },
  handlers,
  nameOf,
)
