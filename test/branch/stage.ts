// A broker with a stock client in front of it, and what scenarios of branches ask of them again and again.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Admin, Kafka, type KafkaMessage, logLevel, type Message, type Producer } from 'kafkajs'
import { errors } from '../../protocol/errors.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import * as batch from '../../protocol/records/batch.ts'
import type { BranchEvent } from '../../src/branch/events.ts'
import { Broker, type BrokerOptions } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

export type Options = Omit<BrokerOptions, 'data'> & { onDisk?: boolean }
export type Configs = Readonly<Record<string, string | number | boolean>>
/** A branch, or a topic without a parent. */
export type Wanted = { from?: string; topic: string; configs?: Configs; numPartitions?: number }
export type Read = KafkaMessage & { partition: number }
export type Fetched = { bytes: Buffer; highWatermark: number; lastStableOffset: number }

const errorName = (code: number) => Object.entries(errors).find(([, error]) => error.code === code)?.[0]

const entries = (configs: Configs) => Object.entries(configs).map(([name, value]) => ({ name, value: String(value) }))

export class Stage implements AsyncDisposable {
  broker: Broker
  kafka: Kafka
  admin: Admin
  producer: Producer
  readonly folder: string | undefined
  readonly #options: BrokerOptions

  private constructor(broker: Broker, options: BrokerOptions, folder: string | undefined) {
    this.broker = broker
    this.#options = options
    this.folder = folder
    const connected = clientsOf(broker)
    this.kafka = connected.kafka
    this.admin = connected.admin
    this.producer = connected.producer
  }

  static async open({ onDisk = false, ...options }: Options = {}): Promise<Stage> {
    const folder = onDisk ? mkdtempSync(join(tmpdir(), 'twiglog-branch-')) : undefined
    const all: BrokerOptions = folder === undefined ? options : { ...options, storage: 'mapped', data: folder }
    const stage = new Stage(await Broker.start(all), all, folder)
    await stage.#connect()
    return stage
  }

  async #connect(): Promise<void> {
    await Promise.all([this.admin.connect(), this.producer.connect()])
  }

  async #disconnect(): Promise<void> {
    await Promise.all([this.admin.disconnect(), this.producer.disconnect()])
  }

  /** A clean stop and a start in the same folder, at another port. */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  async stop(): Promise<void> {
    await this.#disconnect()
    await this.broker.stop()
  }

  async start(): Promise<void> {
    this.broker = await Broker.start(this.#options)
    Object.assign(this, clientsOf(this.broker))
    await this.#connect()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disconnect()
    await this.broker.stop()
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true })
  }

  async create(topic: string, partitions = 1, configs: Configs = {}): Promise<void> {
    await this.admin.createTopics({
      topics: [{ topic, numPartitions: partitions, configEntries: entries(configs) }],
    })
  }

  /** Rejects with what the broker has said. */
  async fork(from: string, topic: string, configs: Configs = {}, numPartitions = -1): Promise<void> {
    await this.forkAll([{ from, topic, configs, numPartitions }])
  }

  async forkAll(branches: readonly (Wanted & { from: string })[]): Promise<void> {
    const topics = branches.map(({ from, topic, configs = {}, numPartitions = -1 }) => ({
      topic,
      numPartitions,
      configEntries: entries({ 'branch.from': from, ...configs }),
    }))
    await this.admin.createTopics({ topics })
  }

  /**
   * What CreateTopics says of each topic that it refuses: `ERROR: message`. Asked word by word: KafkaJS tells its user of the
   * code only.
   */
  async refusals(branches: readonly Wanted[], validateOnly = false): Promise<Record<string, string>> {
    const wire = await WireClient.open(this.broker.bootstrapServers)
    try {
      const topics = branches.map(({ from, topic, configs = {}, numPartitions = -1 }) => {
        const all = Object.entries(from === undefined ? configs : { 'branch.from': from, ...configs })
        return {
          name: topic,
          numPartitions,
          replicationFactor: -1,
          assignments: [],
          configs: all.map(([name, value]) => ({ name, value: String(value) })),
        }
      })
      const answer = await wire.ask(createTopics, 7, { topics, timeoutMs: 10_000, validateOnly })
      const refused = answer.topics.filter(({ errorCode }) => errorCode !== 0)
      return Object.fromEntries(
        refused.map(({ name, errorCode, errorMessage }) => [name, `${errorName(errorCode)}: ${errorMessage}`]),
      )
    } finally {
      wire.close()
    }
  }

  async send(topic: string, messages: readonly (string | Message)[], partition = 0): Promise<number> {
    const sent = await this.producer.send({
      topic,
      messages: messages.map((message) => ({
        partition,
        ...(typeof message === 'string' ? { value: message } : message),
      })),
    })
    return Number(sent[0]!.baseOffset)
  }

  /** The first `count` records that a consumer without a commit is given, partition by partition. */
  async read(topic: string, count: number, readUncommitted = false): Promise<Read[]> {
    if (count === 0) return []
    const groupId = `reader-${Math.random()}`
    const consumer = this.kafka.consumer({ groupId, readUncommitted, maxWaitTimeInMs: 100 })
    await consumer.connect()
    try {
      await consumer.subscribe({ topic, fromBeginning: true })
      const found: Read[] = []
      await new Promise<void>((resolve, reject) => {
        consumer
          .run({
            autoCommit: false,
            eachMessage: async ({ message, partition }) => {
              if (found.length < count) found.push({ ...message, partition })
              if (found.length === count) resolve()
            },
          })
          .catch(reject)
      })
      return found.sort((a, b) => a.partition - b.partition || Number(a.offset) - Number(b.offset))
    } finally {
      await consumer.disconnect()
    }
  }

  /** The bytes of a partition from an offset to its end, as fetches give them, and what they say of the ends. */
  async fetched(topic: string, offset: number): Promise<Fetched> {
    const wire = await WireClient.open(this.broker.bootstrapServers)
    const pieces: Buffer[] = []
    try {
      for (let next = offset; ; ) {
        const from = { partition: 0, currentLeaderEpoch: -1, fetchOffset: next, partitionMaxBytes: 1e6 }
        const body = { maxWaitMs: 0, minBytes: 0, maxBytes: 1e6, isolationLevel: 0, sessionId: 0, sessionEpoch: -1 }
        const topics = [{ topic, partitions: [{ ...from, lastFetchedEpoch: -1, logStartOffset: -1 }] }]
        const answer = await wire.ask(fetch, 12, { ...body, topics, forgottenTopicsData: [], rackId: '' })
        const { records, highWatermark, lastStableOffset } = answer.responses[0]!.partitions[0]!
        const bytes = Buffer.concat([records ?? Buffer.alloc(0)].flat() as Buffer[])
        let end = 0
        for (const at of batch.iterateBatches(bytes)) {
          next = batch.nextOffset(bytes, at)
          end = at + batch.sizeInBytes(bytes, at)
        }
        pieces.push(bytes.subarray(0, end))
        if (next < highWatermark && end > 0) continue
        return { bytes: Buffer.concat(pieces), highWatermark, lastStableOffset }
      }
    } finally {
      wire.close()
    }
  }

  async values(topic: string, count: number, readUncommitted = false): Promise<string[]> {
    return (await this.read(topic, count, readUncommitted)).map(({ value }) => String(value))
  }

  /** Produces commands as they are, one record each. */
  async command(...values: readonly (Record<string, unknown> | string | Buffer)[]): Promise<void> {
    await this.admin.fetchTopicMetadata({ topics: ['__branch_commands'] })
    const messages = values.map((value) => ({
      value: typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value),
    }))
    await this.producer.send({ topic: '__branch_commands', messages })
  }

  /** The first `count` events of the history, when there are as many. */
  async events(count: number): Promise<BranchEvent[]> {
    return (await this.values('__branches', count)).map((value) => JSON.parse(value) as BranchEvent)
  }

  /** Commits by partition for a group without members. KafkaJS has a way that takes five seconds. */
  async commit(groupId: string, topic: string, ...offsets: number[]): Promise<void> {
    const wire = await WireClient.open(this.broker.bootstrapServers)
    try {
      const partitions = offsets.map((committedOffset, partitionIndex) => {
        return { partitionIndex, committedOffset, committedLeaderEpoch: -1, committedMetadata: '' }
      })
      const body = { groupId, generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null }
      const answer = await wire.ask(offsetCommit, 8, { ...body, topics: [{ name: topic, partitions }] })
      const failed = answer.topics.flatMap((of) => of.partitions).find(({ errorCode }) => errorCode !== 0)
      if (failed !== undefined) throw new Error(errorName(failed.errorCode))
    } finally {
      wire.close()
    }
  }

  /** The result of this id, when it is told. */
  async event(id: string): Promise<BranchEvent> {
    const consumer = this.kafka.consumer({ groupId: `events-${Math.random()}`, maxWaitTimeInMs: 100 })
    await consumer.connect()
    try {
      await consumer.subscribe({ topic: '__branches', fromBeginning: true })
      return await new Promise<BranchEvent>((resolve, reject) => {
        const eachMessage = async ({ message }: { message: KafkaMessage }) => {
          const event = JSON.parse(String(message.value)) as BranchEvent
          if (event.id === id && !/^merge-(begin|aborted)$/.test(event.type)) resolve(event)
        }
        consumer.run({ autoCommit: false, eachMessage }).catch(reject)
      })
    } finally {
      await consumer.disconnect()
    }
  }

  /** Has a command run, and answers its event. */
  async run(command: Record<string, unknown> & { id: string }): Promise<BranchEvent> {
    await this.command(command)
    return this.event(command.id)
  }

  /** By partition. */
  async ends(topic: string): Promise<{ low: number; high: number }[]> {
    const offsets = await this.admin.fetchTopicOffsets(topic)
    return offsets
      .sort((a, b) => a.partition - b.partition)
      .map(({ low, high }) => ({ low: Number(low), high: Number(high) }))
  }

  async topics(): Promise<string[]> {
    return (await this.admin.listTopics()).sort()
  }

  /** Without the broker's own. */
  async made(): Promise<string[]> {
    return (await this.topics()).filter((name) => !name.startsWith('__'))
  }

  async configs(topic: string): Promise<Record<string, string>> {
    const described = await this.admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: topic }],
    })
    return Object.fromEntries(
      described.resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    )
  }

  async branchConfigs(topic: string): Promise<Record<string, string>> {
    const all = Object.entries(await this.configs(topic))
    return Object.fromEntries(all.filter(([name]) => name.startsWith('branch.')))
  }
}

function clientsOf(broker: Broker) {
  const kafka = new Kafka({
    brokers: [broker.bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 5 },
  })
  return { kafka, admin: kafka.admin(), producer: kafka.producer({ allowAutoTopicCreation: false }) }
}

/** `count` texts, each different. */
export const numbered = (count: number, prefix = 'v'): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`)
