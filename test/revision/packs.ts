// A stage on which every produce closes the segment before it, and what is closed is packed at once.

import { setTimeout as pause } from 'node:timers/promises'
import type { KafkaMessage, Message } from 'kafkajs'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import * as batch from '../../protocol/records/batch.ts'
import type { BrokerOptions } from '../../src/index.ts'
import type { Store } from '../../src/storage/file.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { WireClient } from '../wire-client.ts'
import { type Configs, Stage } from './stage.ts'

/** A record as far as packing must keep it. */
export type Seen = { offset: number; key: string | null; value: string | null; timestamp: string; headers: string }

export const seen = ({ offset, key, value, timestamp, headers }: KafkaMessage): Seen => ({
  offset: Number(offset),
  key: key === null ? null : String(key),
  value: value === null ? null : String(value),
  timestamp,
  headers: JSON.stringify(headers ?? {}, (_, one) =>
    one?.type === 'Buffer' ? Buffer.from(one).toString('latin1') : one,
  ),
})

/** A document of about `bytes` bytes that changes a little with every revision. */
export function revisionOf(key: string, rev: number, bytes = 400): string {
  const lines = Array.from({ length: Math.ceil(bytes / 40) }, (_, i) => `"${key}-${i}":"${(i * 7919) % 10007}"`)
  lines[rev % lines.length] = `"rev":${rev}`
  return `{${lines.join(',')}}`
}

export type Fetched = {
  errorCode: number
  highWatermark: number
  lastStableOffset: number
  aborted: readonly { producerId: number; firstOffset: number }[]
  bytes: Buffer
}

export class Packs implements AsyncDisposable {
  readonly stage: Stage
  readonly store: Store
  #sentAt = 0

  private constructor(stage: Stage, store: Store) {
    this.stage = stage
    this.store = store
  }

  static async open(store: Store = new MemoryStore(), options: Partial<BrokerOptions> = {}): Promise<Packs> {
    return new Packs(await Stage.open({ storage: store, ...options }), store)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stage[Symbol.asyncDispose]()
  }

  async create(topic: string, configs: Configs = {}, partitions = 1): Promise<void> {
    const all = { 'revision.diff': true, 'revision.pack.lag.ms': 0, 'segment.ms': 1, ...configs }
    await this.stage.create(topic, partitions, all)
  }

  /** `count` revisions of a key from a number on, `atOnce` in one batch; answers what readers should be given. */
  async revise(
    topic: string,
    key: string,
    count: number,
    { from = 1, atOnce = 50, bytes = 400 } = {},
  ): Promise<Seen[]> {
    const sent: Seen[] = []
    for (let rev = from; rev < from + count; rev += atOnce) {
      const messages: Message[] = []
      for (let i = rev; i < Math.min(rev + atOnce, from + count); i++) {
        messages.push({
          key,
          value: revisionOf(key, i, bytes),
          headers: { rev: String(i) },
          timestamp: String(1_700_000_000_000 + i),
        })
      }
      sent.push(...(await this.send(topic, messages)))
    }
    return sent
  }

  async send(topic: string, messages: readonly Message[], partition = 0): Promise<Seen[]> {
    // `segment.ms=1` closes what is older than a millisecond: two sends within one would share a segment, and nothing be packed.
    while (Date.now() - this.#sentAt < 3) await pause(1)
    const base = await this.stage.send(topic, messages, partition)
    this.#sentAt = Date.now()
    return messages.map((message, i) => {
      const { key = null, value, headers, timestamp = '0' } = message
      return seen({
        offset: String(base + i),
        key,
        value,
        headers,
        timestamp,
        attributes: 0,
      } as unknown as KafkaMessage)
    })
  }

  /** Records from the first on, as a consumer is given them. */
  async read(topic: string, count: number): Promise<Seen[]> {
    return (await this.stage.read(topic, count)).map(seen)
  }

  /** Bytes as Produce takes them, all records of a topic's first partition; answers the offset and error that it is told. */
  async produce(topic: string, records: Buffer): Promise<{ errorCode: number; baseOffset: number }> {
    const wire = await WireClient.open(this.stage.broker.bootstrapServers)
    try {
      const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
      const answer = await wire.ask(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
      return answer.responses[0]!.partitionResponses[0]!
    } finally {
      wire.close()
    }
  }

  /** What one Fetch gives of a topic's first partition. */
  async fetch(
    topic: string,
    fetchOffset: number,
    { committed = false, partitionMaxBytes = 1 << 20, maxBytes = 50 << 20 } = {},
  ): Promise<Fetched> {
    const wire = await WireClient.open(this.stage.broker.bootstrapServers)
    try {
      const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes, currentLeaderEpoch: -1 }]
      const answer = await wire.ask(fetch, 11, {
        replicaId: -1,
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes,
        isolationLevel: committed ? 1 : 0,
        topics: [{ topic, partitions }],
      })
      const { errorCode, highWatermark, lastStableOffset, abortedTransactions, records } =
        answer.responses[0]!.partitions[0]!
      const bytes = records === null ? Buffer.alloc(0) : Buffer.from(records as Buffer)
      return { errorCode, highWatermark, lastStableOffset, aborted: abortedTransactions ?? [], bytes }
    } finally {
      wire.close()
    }
  }

  /** All batches up to the high watermark, fetch by fetch. */
  async batches(topic: string, committed = false, from = 0): Promise<Buffer[]> {
    const found: Buffer[] = []
    for (let offset = from; ; ) {
      const { bytes, highWatermark, errorCode } = await this.fetch(topic, offset, { committed })
      if (errorCode !== 0) throw new Error(`error ${errorCode} at offset ${offset}`)
      for (const at of batch.iterateBatches(bytes)) {
        if (batch.nextOffset(bytes, at) <= offset) continue
        found.push(bytes.subarray(at, at + batch.sizeInBytes(bytes, at)))
        offset = batch.nextOffset(bytes, at)
      }
      if (offset >= highWatermark || bytes.length === 0) return found
    }
  }

  /** Files of all partitions of topics that are not the broker's own. */
  async files(): Promise<string[]> {
    const ids = await this.#topicIds()
    const folders = ids.flatMap((id) => this.store.list(`topics/${id}`).map((index) => `topics/${id}/${index}`))
    const own = folders.flatMap((folder) => this.store.list(folder).map((name) => `${folder}/${name}`))
    return [...folders, ...own].filter((path) => /\.(log|pack|tmp)$/.test(path))
  }

  async #topicIds(): Promise<string[]> {
    const wire = await WireClient.open(this.stage.broker.bootstrapServers)
    try {
      const answer = await wire.ask(metadata, 12, { topics: null })
      return answer.topics.filter(({ name }) => !name!.startsWith('__')).map(({ topicId }) => topicId)
    } finally {
      wire.close()
    }
  }

  /** Resolves when nothing but active segments, or `unpacked` of them, lies as it came. */
  async packed(unpacked = 1): Promise<void> {
    for (;;) {
      const files = await this.files()
      const logs = files.filter((path) => path.endsWith('.log')).length
      const isIdle = !files.some((path) => path.endsWith('.tmp'))
      if (logs <= unpacked && files.some((path) => path.endsWith('.pack')) && isIdle) return
      await pause(20)
    }
  }
}
