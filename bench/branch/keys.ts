// Records with keys, for what is merged by key.
import type { Producer } from 'kafkajs'

const portionMax = 5_000
/** Below the largest batch that a broker takes by default. */
const batchBytes = 900_000

export interface Keys {
  readonly count: number
  readonly partitions: number
  readonly value: string
  /** After so many of them the first comes again. */
  readonly distinct?: number
}

/** Keys k0 to k<count - 1>, each in the partition that its number gives. */
export async function writeKeys(producer: Producer, topic: string, keys: Keys): Promise<void> {
  const { count, partitions, value, distinct = count } = keys
  const portion = Math.min(portionMax, Math.floor(batchBytes / (value.length + 20)))
  await producer.connect()
  for (let at = 0; at < count; at += portion) {
    const messages = Array.from({ length: Math.min(portion, count - at) }, (_, i) => ({
      partition: (at + i) % partitions,
      key: `k${(at + i) % distinct}`,
      value,
    }))
    await producer.send({ topic, messages })
  }
  await producer.disconnect()
}
