// A stock client that goes on working beside whoever attacks the broker, and the scales that say what an attack has cost.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Consumer, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs'

export const kafkaOf = (bootstrap: string): Kafka =>
  new Kafka({ brokers: [bootstrap], clientId: 'witness', logLevel: logLevel.NOTHING, retry: { retries: 2 } })

export class Witness {
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #topic: string
  readonly #expected = new Map<string, () => void>()
  #count = 0

  private constructor(bootstrap: string, topic: string) {
    const kafka = kafkaOf(bootstrap)
    this.#topic = topic
    this.#producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    this.#consumer = kafka.consumer({ groupId: `witness of ${topic}`, maxWaitTimeInMs: 50 })
  }

  /** Connects once and stays: an attack may not cost anybody else a connection. */
  static async start(bootstrap: string, topic: string): Promise<Witness> {
    const witness = new Witness(bootstrap, topic)
    await witness.#producer.connect()
    await witness.#consumer.connect()
    await witness.#consumer.subscribe({ topic, fromBeginning: true })
    await witness.#consumer.run({
      eachMessage: async ({ message }) => witness.#expected.get(message.value!.toString())?.(),
    })
    await witness.isUnharmed()
    return witness
  }

  /** Sends a record and waits until it comes back. */
  async isUnharmed(): Promise<true> {
    const value = `still here ${this.#count++}`
    const arrived = new Promise<void>((resolve) => this.#expected.set(value, resolve))
    await this.#producer.send({ topic: this.#topic, acks: -1, messages: [{ value }] })
    await arrived
    this.#expected.delete(value)
    return true
  }

  async stop(): Promise<void> {
    await this.#consumer.disconnect()
    await this.#producer.disconnect()
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What the process holds in its heap and beside it, bytes. */
export async function heldBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Waits until a number has stopped moving. */
export async function settled(read: () => number): Promise<number> {
  for (let last = read(), same = 0; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    const now = read()
    same = now === last ? same + 1 : 0
    if (same === 8) return now
    last = now
  }
}
