// The stage on which branches are played, for revisions and views.

import type { KafkaMessage } from 'kafkajs'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import type { Configs, Stage } from '../branch/stage.ts'
import { WireClient } from '../wire-client.ts'

export { type Configs, numbered, type Options, type Read, Stage } from '../branch/stage.ts'

/** Makes a view as an admin client does; rejects with what the broker has said. */
export async function view(stage: Stage, of: string, kind: string, name: string, configs: Configs = {}): Promise<void> {
  await stage.create(name, -1, { 'view.of': of, 'view.kind': kind, ...configs })
}

/** The configurations of a topic that are about revisions and views. */
export async function revisionConfigs(stage: Stage, topic: string): Promise<Record<string, string>> {
  const all = Object.entries(await stage.configs(topic))
  return Object.fromEntries(all.filter(([name]) => /^(revision|view)\./.test(name)))
}

/** DeleteRecords of a topic's first partition, up to an offset. */
export async function trim(stage: Stage, topic: string, offset: number): Promise<void> {
  const wire = await WireClient.open(stage.broker.bootstrapServers)
  try {
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }]
    const answer = await wire.ask(deleteRecords, 2, { topics, timeoutMs: 1000 })
    const { errorCode } = answer.topics[0]!.partitions[0]!
    if (errorCode !== 0) throw new Error(`DeleteRecords: ${errorCode}`)
  } finally {
    wire.close()
  }
}

/** The record at an offset of a topic's first partition, as a consumer that seeks there is given it. */
export async function recordAt(stage: Stage, topic: string, offset: number): Promise<KafkaMessage> {
  const consumer = stage.kafka.consumer({
    groupId: `seeker-${Math.random()}`,
    maxWaitTimeInMs: 100,
    maxBytesPerPartition: 1,
  })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: false })
    return await new Promise<KafkaMessage>((resolve, reject) => {
      const eachMessage = async ({ message }: { message: KafkaMessage }) => {
        if (Number(message.offset) === offset) resolve(message)
      }
      consumer.run({ autoCommit: false, eachMessage }).catch(reject)
      consumer.seek({ topic, partition: 0, offset: String(offset) })
    })
  } finally {
    await consumer.disconnect()
  }
}
