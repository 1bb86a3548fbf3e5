// Records with keys, for what is merged by key.
import type { Producer } from 'kafkajs'

const portion = 5_000

export interface Keys {
  readonly count: number
  readonly partitions: number
  readonly value: string
}

/** Keys k0 to k<count - 1>, each in the partition that its number gives. */
export async function writeKeys(producer: Producer, topic: string, { count, partitions, value }: Keys): Promise<void> {
  await producer.connect()
  for (let at = 0; at < count; at += portion) {
    const messages = Array.from({ length: Math.min(portion, count - at) }, (_, i) => ({
      partition: (at + i) % partitions,
      key: `k${at + i}`,
      value,
    }))
    await producer.send({ topic, messages })
  }
  await producer.disconnect()
}
