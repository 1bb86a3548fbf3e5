// A broker in a process of its own, to be killed, with a stock client in front of it that is made anew for each question.

import { rmSync } from 'node:fs'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'

export class ChildStage {
  readonly broker: ChildBroker

  private constructor(broker: ChildBroker) {
    this.broker = broker
  }

  static async open(): Promise<ChildStage> {
    const stage = new ChildStage(new ChildBroker(await built('bundle/main.js')))
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
    const producer = this.kafka.producer()
    await producer.connect()
    try {
      await producer.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) })
    } finally {
      await producer.disconnect()
    }
  }

  /** Values from the start of a topic's partition, until `isEnough` says so of all of them. */
  async read(topic: string, isEnough: (values: readonly string[]) => boolean): Promise<string[]> {
    const consumer = this.kafka.consumer({ groupId: `reader-${Math.random()}`, maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const values: string[] = []
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
        if (isEnough(values)) return
        values.push(String(message.value))
        if (isEnough(values)) resolve()
      }
      consumer.run({ autoCommit: false, eachMessage }).catch(reject)
    })
    await consumer.disconnect()
    return values
  }
}
