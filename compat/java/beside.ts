// The newest Java client beside programs that cannot be told everything: any bytes anywhere, chosen timestamps, transactions.
import { packed, type RecordRead, unpacked } from '../hand.ts'
import { HandProcess } from '../hand-process.ts'
import type { KafkaRecord } from '../records.ts'
import { javaCommand } from './command.ts'
import { folder } from './jars.ts'

export interface HandRead {
  readonly offset: number
  readonly timestamp: number
  readonly record: KafkaRecord
}

type Producing = { codec?: 'gzip'; idempotent?: boolean; batchBytes?: number }

/** Sets the stage for the tools. */
export class Beside {
  readonly hand: HandProcess
  #count = 0

  private constructor(hand: HandProcess) {
    this.hand = hand
  }

  static async of(bootstrap: string): Promise<Beside> {
    return new Beside(
      await HandProcess.start(await javaCommand('4.4.0', ['since30', 'since39', 'since41']), bootstrap, folder),
    )
  }

  /** Sends all to partition 0 as one batch, or several if they must be, and gives their offsets. */
  async send(
    topic: string,
    records: readonly KafkaRecord[],
    { timestamps, ...options }: Producing & { timestamps?: readonly number[] } = {},
  ): Promise<number[]> {
    const producer = `p${++this.#count}`
    await this.hand.ask('openProducer', { producer, ...options })
    try {
      const wire = records.map((record, i) => ({
        ...packed(record),
        partition: 0,
        ...(timestamps && { timestamp: timestamps[i]! }),
      }))
      return (await this.hand.ask('produce', { producer, topic, records: wire })).offsets!
    } finally {
      await this.hand.ask('closeProducer', { producer })
    }
  }

  async read(topic: string, from: number, count: number): Promise<HandRead[]> {
    const consumer = `c${++this.#count}`
    await this.hand.ask('openConsumer', { consumer, topic, partition: 0, from: { offset: from } })
    const records: RecordRead[] = []
    const giveUpAt = Date.now() + 30_000
    while (records.length < count && Date.now() < giveUpAt) {
      records.push(...(await this.hand.ask('poll', { consumer, ms: 200 })).records)
    }
    await this.hand.ask('closeConsumer', { consumer })
    return records.map(({ offset, timestamp, ...record }) => ({ offset, timestamp, record: unpacked(record) }))
  }

  async end(topic: string): Promise<number> {
    return (await this.hand.ask('offsetAt', { topic, partition: 0, at: 'end' })).offset
  }

  async stop(): Promise<void> {
    await this.hand.close()
  }
}
