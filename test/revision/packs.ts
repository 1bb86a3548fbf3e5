// A stage on which every produce closes the segment before it, and what is closed is packed at once.

import { setTimeout as pause } from 'node:timers/promises'
import type { KafkaMessage, Message } from 'kafkajs'
import type { BrokerOptions } from '../../src/index.ts'
import type { Store } from '../../src/storage/file.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
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

export class Packs implements AsyncDisposable {
  readonly stage: Stage
  readonly store: Store

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
    const base = await this.stage.send(topic, messages, partition)
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

  /** Files of all partitions that hold batches. */
  files(): string[] {
    const folders = this.store
      .list('topics')
      .flatMap((id) => this.store.list(`topics/${id}`).map((index) => `topics/${id}/${index}`))
    const own = folders.flatMap((folder) => this.store.list(folder).map((name) => `${folder}/${name}`))
    return [...folders, ...own].filter((path) => /\.(log|pack|tmp)$/.test(path))
  }

  /** Resolves when nothing but active segments, or `unpacked` of them, lies as it came. */
  async packed(unpacked = 1): Promise<void> {
    for (;;) {
      const files = this.files()
      const logs = files.filter((path) => path.endsWith('.log')).length
      if (
        logs <= unpacked &&
        files.some((path) => path.endsWith('.pack')) &&
        !files.some((path) => path.endsWith('.tmp'))
      )
        return
      await pause(20)
    }
  }
}
