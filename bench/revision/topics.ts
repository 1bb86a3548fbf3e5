// Topics that keep revisions, filled as an application would, and when the packer is done with them.
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { KafkaClient } from '../../src/cli/client/kafka-client.ts'
import type { RunningPeer } from '../peers.ts'

export type Configs = Readonly<Record<string, string>>

/** A segment is packed as soon as it is closed. */
export const packedAtOnce: Configs = {
  'revision.diff': 'true',
  'revision.pack.lag.ms': '0',
  'segment.bytes': String(16 * 1024 * 1024),
}

export const kafkaOf = ({ port }: RunningPeer): Kafka =>
  new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.ERROR, requestTimeout: 120_000 })

export async function createTopic(kafka: Kafka, topic: string, configs: Configs): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] })
  await admin.disconnect()
}

/** A document of about 4 KB, of which a little differs from the one before. */
export function* documents(seed: number): Generator<string> {
  const fields = Array.from(
    { length: 80 },
    (_, i) => `"field ${i}": "value ${(seed * 7_919 + i * 104_729) % 1_000_003} of the field"`,
  )
  for (let n = 0; ; n++) {
    fields[(n * 31) % fields.length] = `"field ${(n * 31) % fields.length}": "changed ${n} times, ${seed}"`
    yield `{"n":${n},${fields.join(',')}}`
  }
}

/** Many keys in turn, so that revisions of one key lie apart; gives the bytes of the values. */
export async function writeRevisions(producer: Producer, topic: string, keys: number, count: number): Promise<number> {
  const sources = Array.from({ length: keys }, (_, key) => documents(key))
  let bytes = 0
  for (let at = 0; at < count; at += 200) {
    const messages = Array.from({ length: Math.min(200, count - at) }, (_, i) => {
      const key = (at + i) % keys
      const value = sources[key]!.next().value as string
      bytes += value.length
      return { key: `document ${key}`, value }
    })
    await producer.send({ topic, messages })
  }
  return bytes
}

export const clientOf = ({ port }: RunningPeer): KafkaClient => new KafkaClient([{ host: '127.0.0.1', port }])

/** Until no `.log` that could be packed is left, by the folder. */
export async function packed(left: () => number, beganAt: number, msMax = 600_000): Promise<number> {
  while (left() > 0) {
    if (performance.now() - beganAt > msMax) throw new Error(`not packed within ${msMax / 1000} s`)
    await sleep(50)
  }
  return performance.now() - beganAt
}
