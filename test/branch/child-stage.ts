// A broker in a process of its own, to be killed, with a stock client in front of it that is made anew for each question.

import { rmSync } from 'node:fs'
import { type Admin, type EachMessagePayload, Kafka, type KafkaMessage, logLevel, type Message } from 'kafkajs'
import type { BranchEvent } from '../../src/branch/events.ts'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'

export class ChildStage {
  readonly broker: ChildBroker

  private constructor(broker: ChildBroker) {
    this.broker = broker
  }

  /** `options` go with every start, `ofNode` to Node itself; `prepare` comes before the first. */
  static async open(
    options: readonly string[] = [],
    ofNode: readonly string[] = [],
    prepare: (broker: ChildBroker) => void = () => {},
  ): Promise<ChildStage> {
    const stage = new ChildStage(new ChildBroker(await built('bundle/main.js'), options, ofNode))
    prepare(stage.broker)
    await stage.broker.start()
    return stage
  }

  async close(): Promise<void> {
    await this.broker.end('SIGKILL')
    rmSync(this.broker.root, { recursive: true, force: true })
  }

  /** `twiglog check` finds nothing, and a start goes on where the kill was. */
  async kill(): Promise<void> {
    await this.broker.end('SIGKILL')
    this.broker.expectSound()
    await this.broker.start()
  }

  get kafka(): Kafka {
    return new Kafka({ brokers: [this.broker.bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 5 } })
  }

  async withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.kafka.admin()
    await admin.connect()
    try {
      return await work(admin)
    } finally {
      await admin.disconnect()
    }
  }

  async send(topic: string, ...values: string[]): Promise<void> {
    await this.sendAll(
      topic,
      values.map((value) => ({ value, partition: 0 })),
    )
  }

  async sendAll(topic: string, messages: Message[]): Promise<void> {
    const producer = this.kafka.producer()
    await producer.connect()
    try {
      await producer.send({ topic, messages })
    } finally {
      await producer.disconnect()
    }
  }

  /** Values from the start of a topic's partition, until `isEnough` says so of all of them. */
  async read(topic: string, isEnough: (values: readonly string[]) => boolean): Promise<string[]> {
    const values: string[] = []
    await this.readEach(topic, (_, { value }) => {
      values.push(String(value))
      return isEnough(values)
    })
    return values
  }

  /** The first results of a command's id, so many. */
  async results(id: string, count: number): Promise<BranchEvent[]> {
    const found: BranchEvent[] = []
    await this.readEach('__branches', (_, { value }) => {
      const event = JSON.parse(String(value)) as BranchEvent
      if (event.id === id && !event.type.startsWith('merge-')) found.push(event)
      return found.length === count
    })
    return found
  }

  /** Every committed record from the start of a topic, until one is said to be the last. */
  async readEach(topic: string, isLast: (partition: number, message: KafkaMessage) => boolean): Promise<void> {
    const consumer = this.kafka.consumer({ groupId: `reader-${Math.random()}`, maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    let isOver = false
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ partition, message }: EachMessagePayload) => {
        if (isOver) return
        isOver = isLast(partition, message)
        if (isOver) resolve()
      }
      consumer.run({ autoCommit: false, eachMessage }).catch(reject)
    })
    await consumer.disconnect()
  }
}
