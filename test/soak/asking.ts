// What the short lives of a soak ask of a broker, in the fewest words: over a connection that each of them opens and closes.

import { errorName } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import type { BatchOptions, BatchRecord } from '../../protocol/records/builder.ts'
import { batchOf, WireClient } from '../wire-client.ts'

/** What a broker refuses; `name` is Kafka's name of the error. */
export class Refused extends Error {
  constructor(what: string, errorCode: number) {
    super(`${what}: ${errorName(errorCode)}`)
    this.name = errorName(errorCode)
  }
}

const check = (what: string, errorCode: number): void => {
  if (errorCode !== 0) throw new Refused(what, errorCode)
}

export class Asking implements Disposable {
  readonly client: WireClient

  constructor(client: WireClient) {
    this.client = client
  }

  static async open(bootstrap: string, clientId = 'soak'): Promise<Asking> {
    return new Asking(await WireClient.open(bootstrap, clientId))
  }

  async create(name: string, numPartitions: number, configs: Readonly<Record<string, string>> = {}): Promise<void> {
    const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: entries }
    const { topics } = await this.client.ask(createTopics, 5, {
      topics: [topic],
      timeoutMs: 10_000,
      validateOnly: false,
    })
    check(`CreateTopics of ${name}`, topics[0]!.errorCode)
  }

  async delete(name: string): Promise<void> {
    const { responses } = await this.client.ask(deleteTopics, 5, { topicNames: [name], timeoutMs: 10_000 })
    check(`DeleteTopics of ${name}`, responses[0]!.errorCode)
  }

  /** The id; undefined where there is no such topic. */
  async id(name: string, allowAutoTopicCreation = false): Promise<string | undefined> {
    const { topics } = await this.client.ask(metadata, 12, { topics: [{ name }], allowAutoTopicCreation })
    return topics[0]!.errorCode === 0 ? topics[0]!.topicId : undefined
  }

  /** The offset of the first record. */
  async produce(
    name: string,
    index: number,
    records: readonly (string | BatchRecord)[],
    options?: BatchOptions,
  ): Promise<number> {
    const topicData = [{ name, partitionData: [{ index, records: batchOf(records, options) }] }]
    const { responses } = await this.client.ask(produce, 9, { acks: -1, timeoutMs: 10_000, topicData })
    const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
    check(`Produce to ${name}`, errorCode)
    return baseOffset
  }

  /** As any producer gives one. */
  async command(fields: object): Promise<void> {
    await this.produce('__branch_commands', 0, [{ key: null, value: Buffer.from(JSON.stringify(fields)), headers: [] }])
  }

  [Symbol.dispose](): void {
    this.client.close()
  }
}
