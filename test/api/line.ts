// A broker in memory and a client on its wire: what tests of single APIs have in common. The answers they expect are
// those that test/differential found to be Kafka's.

import { errors } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import type { BatchOptions, BatchRecord } from '../../protocol/records/builder.ts'
import type { Answer, ApiTable } from '../../protocol/schema.ts'
import { Broker, type BrokerOptions } from '../../src/embedded.ts'
import { type Body, batchOf, WireClient } from '../wire-client.ts'

export type TopicData = Body<typeof produce>['topicData'][number]

const names = new Map<number, string>(Object.entries(errors).map(([name, { code }]) => [code, name] as const))
/** The name of an error code: what a reader of a test understands. */
export const errorOf = ({ errorCode }: { errorCode: number }): string => names.get(errorCode) ?? `${errorCode}`

export const unknownId = 'abcdefghijklmnopqrstuQ'

export class Line implements AsyncDisposable {
  readonly broker: Broker
  readonly client: WireClient
  readonly #clients: WireClient[]

  private constructor(broker: Broker, client: WireClient) {
    this.broker = broker
    this.client = client
    this.#clients = [client]
  }

  static async open(topics: BrokerOptions['topics'] = [], config: BrokerOptions['config'] = {}): Promise<Line> {
    const broker = await Broker.start({ topics, config })
    return new Line(broker, await WireClient.open(broker.bootstrapServers))
  }

  /** A connection of its own. */
  async another(clientId?: string): Promise<WireClient> {
    const client = await WireClient.open(this.broker.bootstrapServers, clientId)
    this.#clients.push(client)
    return client
  }

  ask<A extends ApiTable>(table: A, version: number, body: Body<A>): Promise<Answer<A>> {
    return this.client.ask(table, version, body)
  }

  async id(name: string): Promise<string> {
    const { topics } = await this.ask(metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false })
    return topics[0]!.topicId
  }

  /** Appends one batch to one partition; what the broker said of it. */
  async append(topic: string, index: number, values: readonly (string | BatchRecord)[], options?: BatchOptions) {
    return this.send(topic, batchOf(values, options), { index })
  }

  /** Produces bytes as they are. */
  async send(topic: string, records: Buffer | null, { index = 0, version = 9, acks = -1 } = {}) {
    const topicData = [{ name: topic, partitionData: [{ index, records }] }]
    const { responses } = await this.ask(produce, version, { acks, timeoutMs: 1000, topicData })
    return responses[0]!.partitionResponses[0]!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.broker.stop()
  }
}
