// Everything that clients have a broker write, one deed each, as words on the wire; and what was acknowledged of it.

import { setTimeout as pause } from 'node:timers/promises'
import { type ErrorName, errorName } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { describeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import { createPartitions } from '../../protocol/messages/37-create-partitions.ts'
import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import * as batch from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { batchOf, WireClient } from '../wire-client.ts'

/** Segments close with every produce, as soon as a millisecond has gone. */
export const small = { 'segment.ms': '1' }
export const safe = { 'flush.messages': '1' }

export class Client {
  readonly #wire: WireClient
  /** Values that were acknowledged, by topic. */
  readonly acknowledged = new Map<string, string[]>()
  #count = 0

  private constructor(wire: WireClient) {
    this.#wire = wire
  }

  static async open(bootstrap: string): Promise<Client> {
    return new Client(await WireClient.open(bootstrap))
  }

  close(): void {
    this.#wire.close()
  }

  /** Where a topic lies in the store. */
  async folder(name: string): Promise<string> {
    const answer = await this.#wire.ask(metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false })
    return `topics/${answer.topics[0]!.topicId}`
  }

  async produce(topic: string): Promise<ErrorName> {
    const value = `${topic} ${this.#count++} ${'.'.repeat(40)}`
    const topicData = [{ name: topic, partitionData: [{ index: 0, records: batchOf([value]) }] }]
    const answer = await this.#wire.ask(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 9000, topicData })
    const told = errorName(answer.responses[0]!.partitionResponses[0]!.errorCode)
    if (told === 'NONE') this.acknowledged.set(topic, [...(this.acknowledged.get(topic) ?? []), value])
    return told
  }

  /** As `produce`, into a new segment where the topic is small. */
  async roll(topic: string): Promise<ErrorName> {
    const before = Date.now()
    while (Date.now() <= before + 1) await pause(1)
    return this.produce(topic)
  }

  async create(name: string, configs: Record<string, string> = {}): Promise<ErrorName> {
    const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    const wanted = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: entries }
    const answer = await this.#wire.ask(createTopics, 7, { topics: [wanted], timeoutMs: 9000, validateOnly: false })
    return errorName(answer.topics[0]!.errorCode)
  }

  fork(from: string, name: string): Promise<ErrorName> {
    return this.create(name, { 'branch.from': from })
  }

  async grow(name: string, count: number): Promise<ErrorName> {
    const topics = [{ name, count, assignments: null }]
    const answer = await this.#wire.ask(createPartitions, 3, { topics, timeoutMs: 9000, validateOnly: false })
    return errorName(answer.results[0]!.errorCode)
  }

  async configure(resourceName: string, name: string, value: string): Promise<ErrorName> {
    const configs = [{ name, configOperation: 0, value }]
    const resources = [{ resourceType: 2, resourceName, configs }]
    const answer = await this.#wire.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    return errorName(answer.responses[0]!.errorCode)
  }

  async commit(groupId: string, topic: string, committedOffset: number): Promise<ErrorName> {
    const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: '' }]
    const group = { groupId, generationIdOrMemberEpoch: -1, memberId: '' }
    const answer = await this.#wire.ask(offsetCommit, 8, { ...group, topics: [{ name: topic, partitions }] })
    return errorName(answer.topics[0]!.partitions[0]!.errorCode)
  }

  async committed(groupId: string, topic: string): Promise<number> {
    const topics = [{ name: topic, partitionIndexes: [0] }]
    const answer = await this.#wire.ask(offsetFetch, 5, { groupId, topics })
    return answer.topics[0]!.partitions[0]!.committedOffset
  }

  async configured(resourceName: string, name: string): Promise<string | null> {
    const resources = [{ resourceType: 2, resourceName, configurationKeys: [name] }]
    const answer = await this.#wire.ask(describeConfigs, 4, { resources, includeSynonyms: false })
    return answer.results[0]!.configs[0]!.value
  }

  async trim(name: string, offset: number): Promise<ErrorName> {
    const topics = [{ name, partitions: [{ partitionIndex: 0, offset }] }]
    const answer = await this.#wire.ask(deleteRecords, 2, { topics, timeoutMs: 9000 })
    return errorName(answer.topics[0]!.partitions[0]!.errorCode)
  }

  async identify(transactionalId: string | null): Promise<ErrorName> {
    const answer = await this.#wire.ask(initProducerId, 4, { transactionalId, transactionTimeoutMs: 60_000 })
    return errorName(answer.errorCode)
  }

  async remove(name: string): Promise<ErrorName> {
    const answer = await this.#wire.ask(deleteTopics, 5, { topicNames: [name], timeoutMs: 9000 })
    return errorName(answer.responses[0]!.errorCode)
  }

  /** Values from an offset on, or why there are none. */
  async values(topic: string, from = 0): Promise<string[] | ErrorName> {
    const found: string[] = []
    for (let offset = from; ; ) {
      const partitions = [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 20 }]
      const body = { maxWaitMs: 0, minBytes: 0, isolationLevel: 0, topics: [{ topic, partitions }] }
      const told = (await this.#wire.ask(fetch, 11, body)).responses[0]!.partitions[0]!
      if (told.errorCode !== 0) return errorName(told.errorCode)
      const bytes = told.records === null ? Buffer.alloc(0) : Buffer.from(told.records as Buffer)
      if (bytes.length === 0) return found
      for (const at of batch.iterateBatches(bytes)) {
        if (!batch.crcMatches(bytes, at)) throw new Error(`${topic}: a batch at ${offset} fails its checksum`)
        for (const record of readRecords(bytes, at)) if (record.offset >= offset) found.push(String(record.value))
        offset = batch.nextOffset(bytes, at)
      }
    }
  }
}

export type Deed = (client: Client, turn: number) => Promise<ErrorName>

/** Each writes something else. `turn`: they may be done again, and do something new then. */
export const deeds: Readonly<Record<string, Deed>> = {
  'a record': (client) => client.produce('safe'),
  'a record in a new segment': (client) => client.roll('struck'),
  'a first record': (client, turn) => client.produce(`first-${turn}`),
  'a new topic': (client, turn) => client.create(`new-${turn}`),
  'a record in a new topic': (client, turn) => client.produce(`fresh-${turn}`),
  'a branch': (client, turn) => client.fork('struck', `struck--${turn}`),
  'a partition': (client, turn) => client.grow('grown', turn + 2),
  'a configuration': (client, turn) => client.configure('struck', 'retention.bytes', `${10 ** 9 + turn}`),
  'a commit': (client, turn) => client.commit('group', 'struck', turn),
  'a log start': (client, turn) => client.trim('trimmed', turn + 1),
  'a producer id': (client) => client.identify(null),
  'a transactional id': (client, turn) => client.identify(`transactional-${turn}`),
  'a deletion': (client, turn) => client.remove(`doomed-${turn}`),
}
