// A small client of Kafka's protocol for the commands of the command line: it works against any broker, here or far away.

import { type ErrorName, errors } from '../../../protocol/errors.ts'
import { produce } from '../../../protocol/messages/00-produce.ts'
import { listOffsets } from '../../../protocol/messages/02-list-offsets.ts'
import { metadata } from '../../../protocol/messages/03-metadata.ts'
import { createTopics } from '../../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../../protocol/messages/20-delete-topics.ts'
import { describeConfigs } from '../../../protocol/messages/32-describe-configs.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import { type BatchRecord, encodeBatch } from '../../../protocol/records/builder.ts'
import type { Answer, ApiTable } from '../../../protocol/schema.ts'
import { type Address, type Body, NodeConnection, Unreachable } from './node-connection.ts'

/** The broker says no, in its own words. */
export class Refused extends Error {
  readonly error: ErrorName
  constructor(code: number, message: string | null | undefined) {
    const found = Object.entries(errors).find(([, row]) => row.code === code)
    super(message || found?.[1].sentence || `error ${code}`)
    this.error = (found?.[0] ?? 'UNKNOWN_SERVER_ERROR') as ErrorName
  }
}

export const refuse = (code: number, message?: string | null): void => {
  if (code !== 0) throw new Refused(code, message)
}

export type TopicSeen = { readonly name: string; readonly id: string; readonly leaders: ReadonlyMap<number, number> }
export type Configs = ReadonlyMap<string, string | null>
export type Bounds = { readonly start: number; readonly end: number }

const topicResource = 2
const produceMs = 30_000

export class KafkaClient {
  readonly #bootstrap: readonly Address[]
  readonly #connections = new Map<string, Promise<NodeConnection>>()
  #nodes = new Map<number, Address>()
  /** Of the topics that were asked for last, those of which one is not told whether they are there. */
  readonly #hidden = new Set<string>()
  #first: Promise<NodeConnection> | undefined

  constructor(bootstrap: readonly Address[]) {
    this.#bootstrap = bootstrap
  }

  /** Whoever of the bootstrap list answers. Rejects with Unreachable. */
  async #any(): Promise<NodeConnection> {
    this.#first ??= this.#openAny()
    return this.#first
  }

  async #openAny(): Promise<NodeConnection> {
    let problem: unknown
    for (const address of this.#bootstrap) {
      try {
        return await this.#at(address)
      } catch (cause) {
        if (!(cause instanceof Unreachable)) throw cause
        problem ??= cause
      }
    }
    throw problem
  }

  #at(address: Address): Promise<NodeConnection> {
    const name = `${address.host} ${address.port}`
    const open = this.#connections.get(name) ?? NodeConnection.open(address)
    this.#connections.set(name, open)
    return open
  }

  /** Any node will do. */
  async ask<A extends ApiTable>(table: A, most: number, body: Body<A>): Promise<Answer<A>> {
    return (await this.#any()).ask(table, most, body)
  }

  /** The node that leads. */
  async askLeader<A extends ApiTable>(leader: number, table: A, most: number, body: Body<A>): Promise<Answer<A>> {
    const address = this.#nodes.get(leader)
    return (await (address === undefined ? this.#any() : this.#at(address))).ask(table, most, body)
  }

  /** All topics, or these; one that does not exist is missing. */
  async topics(names: readonly string[] | null = null): Promise<Map<string, TopicSeen>> {
    const answer = await this.ask(metadata, 12, {
      topics: names === null ? null : names.map((name) => ({ name })),
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: false,
    })
    for (const { nodeId, host, port } of answer.brokers) this.#nodes.set(nodeId, { host, port })
    const found = new Map<string, TopicSeen>()
    this.#hidden.clear()
    for (const { errorCode, name, topicId: id, partitions } of answer.topics) {
      if (errorCode === errors.TOPIC_AUTHORIZATION_FAILED.code && name !== null) this.#hidden.add(name)
      if (errorCode !== 0 || name === null) continue
      const leaders = partitions.map(({ partitionIndex, leaderId }) => [partitionIndex, leaderId] as const)
      found.set(name, { name, id, leaders: new Map(leaders.sort(([a], [b]) => a - b)) })
    }
    return found
  }

  /** Throws Refused where there is no such topic, or none to be seen. */
  async topic(name: string): Promise<TopicSeen> {
    const found = (await this.topics([name])).get(name)
    if (found !== undefined) return found
    if (!this.#hidden.has(name))
      throw new Refused(errors.UNKNOWN_TOPIC_OR_PARTITION.code, `There is no topic '${name}'.`)
    const message = `An ACL has to allow DESCRIBE on '${name}' (or READ, or WRITE), whether or not there is such a topic.`
    throw new Refused(errors.TOPIC_AUTHORIZATION_FAILED.code, message)
  }

  async configs(names: readonly string[]): Promise<Map<string, Configs>> {
    if (names.length === 0) return new Map()
    const { results } = await this.ask(describeConfigs, 4, {
      resources: names.map((resourceName) => ({ resourceType: topicResource, resourceName, configurationKeys: null })),
      includeSynonyms: false,
      includeDocumentation: false,
    })
    return new Map(
      results.flatMap(({ errorCode, resourceName, configs }) =>
        errorCode === 0 ? [[resourceName, new Map(configs.map(({ name, value }) => [name, value]))] as const] : [],
      ),
    )
  }

  /** Whether there can be branches and revisions at all: nobody else knows this configuration. Makes nothing. */
  async isTwiglog(): Promise<boolean> {
    const configs = [{ name: 'revision.diff', value: 'true' }]
    const topic = { name: 'twiglog-cli', numPartitions: 1, replicationFactor: -1, assignments: [], configs }
    const { topics } = await this.ask(createTopics, 7, { topics: [topic], timeoutMs: produceMs, validateOnly: true })
    return topics.every(({ errorCode }) => errorCode !== errors.INVALID_CONFIG.code)
  }

  /** Null takes an override back. */
  async alter(topic: string, configs: Readonly<Record<string, string | null>>): Promise<void> {
    const changes = Object.entries(configs).map(([name, value]) => {
      return { name, value, configOperation: value === null ? 1 : 0 }
    })
    const resources = [{ resourceType: topicResource, resourceName: topic, configs: changes }]
    const { responses } = await this.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    for (const { errorCode, errorMessage } of responses) refuse(errorCode, errorMessage)
  }

  /** Start and end of every partition, as a reader of committed records sees them. */
  async bounds({ name, leaders }: TopicSeen): Promise<Map<number, Bounds>> {
    const at = async (partition: number, leader: number, timestamp: number) => {
      const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }]
      const body = { replicaId: -1, isolationLevel: 1, topics: [{ name, partitions }] }
      const answer = await this.askLeader(leader, listOffsets, 5, body)
      const found = answer.topics[0]!.partitions[0]!
      refuse(found.errorCode)
      return found.offset
    }
    const found = [...leaders].map(async ([partition, leader]) => {
      const [start, end] = await Promise.all([at(partition, leader, -2), at(partition, leader, -1)])
      return [partition, { start, end }] as const
    })
    return new Map(await Promise.all(found))
  }

  /** The first offset whose record is not older than this; undefined where there is none. */
  async offsetAt({ name, leaders }: TopicSeen, partition: number, timestamp: number): Promise<number | undefined> {
    const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }]
    const body = { replicaId: -1, isolationLevel: 1, topics: [{ name, partitions }] }
    const answer = await this.askLeader(leaders.get(partition) ?? -1, listOffsets, 5, body)
    const found = answer.topics[0]!.partitions[0]!
    refuse(found.errorCode)
    return found.offset === -1 ? undefined : found.offset
  }

  /** With the partitions that the broker gives it. */
  async createTopic(name: string, configs: Readonly<Record<string, string>>): Promise<void> {
    const topic = {
      name,
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [],
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    }
    const { topics } = await this.ask(createTopics, 7, { topics: [topic], timeoutMs: produceMs, validateOnly: false })
    for (const { errorCode, errorMessage } of topics) refuse(errorCode, errorMessage)
  }

  async deleteTopic(name: string): Promise<void> {
    const { responses } = await this.ask(deleteTopics, 5, { topicNames: [name], timeoutMs: produceMs })
    for (const { errorCode, errorMessage } of responses) refuse(errorCode, errorMessage)
  }

  /** One record to partition 0; resolves when all in-sync replicas have it. */
  async send(topic: string, value: string): Promise<number> {
    return this.produce(await this.topic(topic), 0, { value })
  }

  /** As send, to any partition; answers the offset. */
  async produce(
    { name, leaders }: TopicSeen,
    index: number,
    record: Pick<BatchRecord, 'key' | 'value' | 'headers'>,
  ): Promise<number> {
    const records = encodeBatch({ records: [{ ...record, timestamp: Date.now() }] })
    const answer = await this.askLeader(leaders.get(index) ?? -1, produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: produceMs,
      topicData: [{ name, partitionData: [{ index, records }] }],
    })
    const { errorCode, errorMessage, baseOffset } = answer.responses[0]!.partitionResponses[0]!
    refuse(errorCode, errorMessage)
    return baseOffset
  }

  async close(): Promise<void> {
    for (const open of this.#connections.values()) {
      await open.then(
        (connection) => connection.close(),
        () => {},
      )
    }
  }
}

/** `host:port,host:port`; a host alone means port 9092. */
export function parseBootstrap(text: string): Address[] | undefined {
  const addresses = text.split(',').map((each) => {
    const [, six, plain, port = '9092'] = /^(?:\[([^\]]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(each.trim()) ?? []
    const host = six ?? plain
    return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) }
  })
  return addresses.every((address) => address !== undefined) ? (addresses as Address[]) : undefined
}
