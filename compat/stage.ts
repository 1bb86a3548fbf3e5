// What a scenario has in its hands: a client, the broker, things to send, and claims that must hold.
import { deepStrictEqual } from 'node:assert/strict'
import type { BrokerUnderTest } from './broker.ts'
import {
  Cannot,
  type Configs,
  type Hand,
  type Isolation,
  lacks,
  packed,
  type RecordRead,
  Refused,
  type TopicPartition,
  unpacked,
  type Verb,
  type Verbs,
} from './hand.ts'
import { until } from './process.ts'
import { fresh, type KafkaRecord, shapes, shown } from './records.ts'

export type Producing = Omit<Verbs['openProducer']['ask'], 'producer'>
export type Place = Verbs['openConsumer']['ask']['from']
export type Joining = Omit<Verbs['joinGroup']['ask'], 'consumer' | 'group'>

export interface Read extends TopicPartition {
  readonly offset: number
  readonly timestamp: number
  readonly deliveryCount: number | undefined
  readonly record: KafkaRecord
}

/** What a run of one client keeps from scenario to scenario. */
export interface Troupe {
  readonly broker: BrokerUnderTest
  readonly hand: Hand
  /** Another process of the same client, ended with the scenario; at another address, or under a name of its own. */
  another(elsewhere?: Elsewhere): Promise<Hand>
}

export interface Elsewhere {
  readonly bootstrap?: string
  readonly clientId?: string
}

let nameCount = 0

export class Stage {
  readonly broker: BrokerUnderTest
  readonly hand: Hand
  readonly another: Troupe['another']
  readonly #producers = new Map<string, string>()
  readonly #closing: (() => Promise<unknown>)[] = []
  claimCount = 0

  constructor({ broker, hand, another }: Troupe) {
    this.broker = broker
    this.hand = hand
    this.another = another
  }

  /** The same client come in by another door. */
  async inside(elsewhere: Elsewhere): Promise<Stage> {
    const hand = await this.another(elsewhere)
    if (elsewhere.clientId !== undefined && hand.hello.clientId !== elsewhere.clientId) {
      throw new Cannot('this hand takes no client id')
    }
    return new Stage({ broker: this.broker, hand, another: this.another })
  }

  // Claims.

  same(found: unknown, wanted: unknown, what?: string): void {
    this.claimCount++
    deepStrictEqual(
      found,
      wanted,
      ...(what === undefined ? [] : [`${what}: ${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`]),
    )
  }

  ok(holds: unknown, what: string): void {
    this.claimCount++
    if (!holds) throw new Error(`not so: ${what}`)
  }

  /** Must be refused by one of these names; `CLIENT` where the client may refuse by itself or hide the broker's word. */
  async refused(request: Promise<unknown>, ...names: string[]): Promise<void> {
    const answer = await request.then(
      () => 'no refusal',
      (problem: unknown) => {
        if (problem instanceof Refused) return problem.error
        throw problem
      },
    )
    this.claimCount++
    if (!names.includes(answer)) throw new Error(`refused with ${answer}, not with ${names.join(' or ')}`)
  }

  /** How many fetches the broker has answered; undefined where it does not tell. */
  fetchCount(): Promise<number | undefined> {
    return this.broker.fetchCount()
  }

  // Verbs, a little closer to what scenarios say.

  ask<V extends Verb>(verb: V, fields: Verbs[V]['ask']): Promise<Verbs[V]['answer']> {
    return this.hand.ask(verb, fields)
  }

  /** For what a scenario looks at besides, where the client can show it. */
  can(verb: Verb, fields?: { readonly [name: string]: unknown }): boolean {
    return lacks(this.hand.hello, verb, fields) === undefined
  }

  needs(verb: Verb, fields?: { readonly [name: string]: unknown }): void {
    const why = lacks(this.hand.hello, verb, fields)
    if (why !== undefined) throw new Cannot(why)
  }

  /**
   * Without those that the client cannot send (`produce.nullRecord`; `produce.headerList` where its headers are a map) or
   * tell apart when it reads (`poll.empty`).
   */
  get shapes(): readonly KafkaRecord[] {
    const sendsNothing = this.can('produce', { nullRecord: true })
    const listsHeaders = this.can('produce', { headerList: true })
    const knowsEmpty = this.can('poll', { empty: true })
    return shapes.filter(({ key, value, headers }) => {
      const isEmpty = [key, value, ...headers.map(([, held]) => held)].some((held) => held?.length === 0)
      return (
        (sendsNothing || key !== null || value !== null) &&
        (listsHeaders || headers.length < 2) &&
        (knowsEmpty || !isEmpty)
      )
    })
  }

  name(what: string): string {
    return fresh(`${this.hand.hello.client.replaceAll(/[^a-z0-9]+/gi, '-')}-${what}`)
  }

  async topic(what: string, partitions = 1, configs: Configs = {}): Promise<string> {
    const topic = this.name(what)
    const configured = Object.keys(configs).length > 0
    await this.ask('createTopic', { topic, partitions, ...(configured && { configs }) })
    return topic
  }

  async producer(options: Producing = {}): Promise<string> {
    const producer = `p${++nameCount}`
    await this.ask('openProducer', { producer, ...options })
    this.#closing.push(() => this.ask('closeProducer', { producer }))
    return producer
  }

  /** To partition 0, or to the one given; one producer for each kind of options. */
  async send(
    topic: string,
    records: readonly KafkaRecord[],
    { partition = 0, timestamps, ...options }: Producing & { partition?: number; timestamps?: readonly number[] } = {},
  ): Promise<number[] | null> {
    const kind = JSON.stringify(options)
    const producer = this.#producers.get(kind) ?? (await this.producer(options))
    this.#producers.set(kind, producer)
    return this.produce(producer, topic, records, partition, timestamps)
  }

  async produce(
    producer: string,
    topic: string,
    records: readonly KafkaRecord[],
    partition = 0,
    timestamps?: readonly number[],
  ): Promise<number[] | null> {
    const wire = records.map((record, i) => ({
      ...packed(record),
      partition,
      ...(timestamps && { timestamp: timestamps[i]! }),
    }))
    return (await this.ask('produce', { producer, topic, records: wire })).offsets
  }

  async consumer(
    topic: string,
    from: Place,
    options: { partition?: number; isolation?: Isolation; fetchBytes?: number } = {},
  ): Promise<Consumer> {
    const consumer = `c${++nameCount}`
    const { partition = 0, ...rest } = options
    await this.ask('openConsumer', { consumer, topic, partition, from, ...rest })
    return this.#opened(new Consumer(this.hand, consumer))
  }

  async member(group: string, options: Joining, hand: Hand = this.hand): Promise<Consumer> {
    const consumer = `m${++nameCount}`
    await hand.ask('joinGroup', { consumer, group, ...options })
    return this.#opened(new Consumer(hand, consumer))
  }

  async sharer(group: string, topic: string, hand: Hand = this.hand): Promise<Sharer> {
    const consumer = `s${++nameCount}`
    await hand.ask('joinShare', { consumer, group, topics: [topic] })
    const sharer = new Sharer(hand, consumer)
    if (hand === this.hand) this.#closing.push(() => sharer.close()) // another hand is ended as a whole
    return sharer
  }

  #opened(consumer: Consumer): Consumer {
    if (consumer.hand === this.hand) this.#closing.push(() => consumer.close()) // another hand is ended as a whole
    return consumer
  }

  /** Exactly the records from a place to the end as of now. */
  async read(
    topic: string,
    count: number,
    options: { from?: Place; partition?: number; isolation?: Isolation; fetchBytes?: number } = {},
  ): Promise<Read[]> {
    const { from = 'start', ...rest } = options
    const consumer = await this.consumer(topic, from, rest)
    await consumer.until(`${count} records came from ${topic}`, () => consumer.seen.length >= count)
    await consumer.close()
    return [...consumer.seen]
  }

  /** Read from the start, it is what was sent, and nothing more is there. */
  async holds(topic: string, sent: readonly KafkaRecord[], partition = 0): Promise<void> {
    const read = await this.read(topic, sent.length, { partition })
    this.same(shown(read.map(({ record }) => record)), shown(sent), 'what was sent is read')
    if (this.can('offsetAt')) this.same(await this.end(topic, partition), sent.length, 'and no more than that')
  }

  async end(topic: string, partition = 0): Promise<number> {
    return (await this.ask('offsetAt', { topic, partition, at: 'end' })).offset
  }

  async closeAll(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close()
  }
}

/** A consumer, alone or a member: everything it has ever given, and what it owns. */
export class Consumer {
  readonly hand: Hand
  readonly name: string
  readonly seen: Read[] = []
  assigned: TopicPartition[] = []
  #closed = false

  constructor(hand: Hand, name: string) {
    this.hand = hand
    this.name = name
  }

  async poll(ms = 100): Promise<Read[]> {
    const { records, assigned } = await this.hand.ask('poll', { consumer: this.name, ms })
    const came = records.map(read)
    this.seen.push(...came)
    this.assigned = [...assigned].sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition)
    return came
  }

  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    await pollingUntil([this], what, holds)
  }

  get partitions(): number[] {
    return this.assigned.map(({ partition }) => partition)
  }

  get keys(): string[] {
    return [...new Set(this.seen.map(({ record }) => String(record.key)))].sort()
  }

  get values(): string[] {
    return this.seen.map(({ record }) => String(record.value))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.hand.ask('closeConsumer', { consumer: this.name })
    this.assigned = []
  }
}

/** A member of a share group. */
export class Sharer {
  readonly hand: Hand
  readonly name: string
  #closed = false

  constructor(hand: Hand, name: string) {
    this.hand = hand
    this.name = name
  }

  async poll(ms = 200): Promise<Read[]> {
    return (await this.hand.ask('pollShare', { consumer: this.name, ms })).records.map(read)
  }

  async acknowledge(records: readonly Read[], as: 'accept' | 'release' | 'reject'): Promise<void> {
    const of = records.map(({ topic, partition, offset }) => ({ topic, partition, offset, as }))
    await this.hand.ask('acknowledge', { consumer: this.name, of })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.hand.ask('closeShare', { consumer: this.name })
  }
}

/** Polls all of them in turn, so that a rebalance among them can end, until the condition holds. */
export async function pollingUntil(
  consumers: readonly Consumer[],
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  await until(what, async () => {
    if (await holds()) return true
    for (const consumer of consumers) await consumer.poll()
    return holds()
  })
}

function read({ topic, partition, offset, timestamp, deliveryCount, ...record }: RecordRead): Read {
  return { topic, partition, offset, timestamp, deliveryCount, record: unpacked(record) }
}
