// What clients share whose doors are KafkaJS's own, whoever stands behind them: a consumer pushes, and is asked by polls here.
import { Cannot, packed, type RecordRead, type RecordToSend, unpacked } from '../hand.ts'
import { type Handlers, Inbox } from './serve.ts'

interface Doors {
  pause(topics: { topic: string; partitions: number[] }[]): void
  resume(topics: { topic: string; partitions: number[] }[]): void
  seek(place: { topic: string; partition: number; offset: string }): void
  disconnect(): Promise<void>
}

type Held = Buffer | string | null | undefined

interface Pushed {
  readonly topic: string
  readonly partition: number
  readonly message: {
    readonly key?: Buffer | null
    readonly value: Buffer | null
    readonly headers?: { readonly [name: string]: Held | Held[] } | undefined
    readonly offset: string
    readonly timestamp: string
  }
}

/** What a consumer has pushed waits here for the next poll. */
export class Reading<C extends Doors> {
  readonly consumer: C
  readonly inbox = new Inbox<RecordRead>()
  readonly #only: number | undefined
  /** Behind the last record of each partition that a poll has given. */
  readonly positions = new Map<string, { topic: string; partition: number; offset: string }>()

  /** `only`: records of other partitions are not for us. */
  constructor(consumer: C, only?: number) {
    this.consumer = consumer
    this.#only = only
  }

  /** For `eachMessage`. */
  readonly put = async ({ topic, partition, message }: Pushed): Promise<void> => {
    if (this.#only !== undefined && partition !== this.#only) return
    const { key = null, value, headers, offset, timestamp } = message
    const pairs = Object.entries(headers ?? {}).flatMap(([name, held]) =>
      [held].flat().map((each) => [name, each === undefined || each === null ? null : Buffer.from(each)] as const),
    )
    const wire = packed({ key, value, headers: pairs })
    this.inbox.put({ topic, partition, offset: Number(offset), timestamp: Number(timestamp), ...wire })
  }

  async take(ms: number): Promise<RecordRead[]> {
    const records = await this.inbox.take(ms)
    for (const { topic, partition, offset } of records) {
      this.positions.set(`${topic} ${partition}`, { topic, partition, offset: String(offset + 1) })
    }
    return records
  }
}

interface Assigned {
  readonly assigned: { topic: string; partition: number }[]
}

/** The verbs that move a consumer which is there already. */
export function reading(consumers: Map<string, Reading<Doors> & Assigned>) {
  return {
    async poll({ consumer: name, ms }) {
      const held = named(consumers, name)
      return { records: await held.take(ms), assigned: held.assigned }
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
  } satisfies Handlers
}

/** A record as `send` takes it; `client` is who has no header without a value. */
export function message(given: RecordToSend, client: string) {
  const { key, value, headers } = unpacked(given)
  const byName: { [name: string]: Buffer | Buffer[] } = {}
  for (const [name, held] of headers) {
    if (held === null) throw new Cannot(`${client} has no headers without a value`)
    const before = byName[name]
    byName[name] = before === undefined ? held : [before, held].flat() // a list is written as one header each
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

export function named<T>(held: ReadonlyMap<string, T>, name: string): T {
  const found = held.get(name)
  if (found === undefined) throw new Error(`nothing is open under the name ${name}`)
  return found
}

/** Where a reader begins that is given a word or a time. */
export async function place(
  { offsetAt }: Handlers,
  topic: string,
  partition: number,
  from: 'start' | 'end' | { timestamp: number },
): Promise<number> {
  return (await offsetAt!({ topic, partition, at: typeof from === 'object' ? from.timestamp : from })).offset
}
