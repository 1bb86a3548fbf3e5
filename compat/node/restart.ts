// The promise of acks=all: what was acknowledged is there, once and in order, whatever became of the process.
import kafkajs from 'kafkajs'
import type { BrokerUnderTest, StopSignal } from '../broker.ts'
import { until } from '../process.ts'
import { type KafkaRecord, record, shown } from '../records.ts'
import type { Part, Parts } from '../scenarios.ts'
import type { Client } from './client.ts'

const recordsPerBatch = 20
const batchesBefore = 50
const batchesAfter = 30

export function restartParts(client: Client, broker: BrokerUnderTest) {
  function across(signal: StopSignal): Part {
    if (broker.restartSkip) return broker.restartSkip
    return async (t) => {
      const topic = await client.createTopic(`restart-${signal}`, 1, { 'retention.ms': '7200000' })
      const groupId = `${topic}-group`
      const member = await client.member(groupId, topic)
      await member.run({ fromBeginning: true, autoCommit: false })
      await until('the member has its partition', () => member.assigned.length === 1)
      await member.consumer.commitOffsets([{ topic, partition: 0, offset: '17' }])
      await member.leave()

      const flood = new Flood(client, topic)
      const ended = flood.run()
      await until('the flood runs', () => flood.batchCount >= batchesBefore)
      await broker.restart(signal) // the flood goes on: a batch is on its way when the broker goes
      const countAtReturn = flood.batchCount
      await until('the flood goes on', () => flood.batchCount >= countAtReturn + batchesAfter, 45_000)
      flood.stop()
      const acknowledged = await ended

      t.equal(await client.endOffset(topic), acknowledged.length, 'no record twice, none that was not acknowledged')
      t.same(shown(await client.read(topic, acknowledged.length)), shown(acknowledged))
      const [entry] = await client.admin.fetchOffsets({ groupId, topics: [topic] })
      t.match(entry!.partitions[0], { offset: '17' }, 'the committed offset is there')
      const { resources } = await client.admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['retention.ms'] }],
      })
      t.match(resources[0]!.configEntries[0], { configValue: '7200000' }, 'the config is there')
    }
  }
  return { 'restart.SIGTERM': across('SIGTERM'), 'restart.SIGKILL': across('SIGKILL') } satisfies Partial<Parts>
}

class Flood {
  readonly #client: Client
  readonly #topic: string
  #stopped = false
  batchCount = 0

  constructor(client: Client, topic: string) {
    this.#client = client
    this.#topic = topic
  }

  stop(): void {
    this.#stopped = true
  }

  /** One batch after the other until stopped; each is tried again, with its sequence number, until it is acknowledged. */
  async run(): Promise<KafkaRecord[]> {
    const producer = await this.#client.producer({ idempotent: true, maxInFlightRequests: 1 })
    const acknowledged: KafkaRecord[] = []
    while (!this.#stopped) {
      const batch = Array.from({ length: recordsPerBatch }, (_, i) => record(null, `${acknowledged.length + i}`))
      const messages = batch.map(({ value }) => ({ value, partition: 0 }))
      await producer.send({ topic: this.#topic, acks: -1, messages })
      acknowledged.push(...batch)
      this.batchCount++
    }
    return acknowledged
  }
}
