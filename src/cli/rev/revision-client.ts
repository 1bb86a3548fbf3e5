// Revisions as any client sees them: through views that live for one question.

import { randomUUID } from 'node:crypto'
import { type KafkaClient, Refused, type TopicSeen } from '../client/kafka-client.ts'
import { type RecordRead, readPartition } from '../client/reading.ts'
import { expectTwiglog } from '../client/session.ts'
import type { Point } from './order.ts'

export type Revision = {
  readonly partition: number
  readonly rev: number
  readonly offset: number
  readonly timestamp: number
  /** Bytes of the value. */
  readonly size: number
  /** What it takes. */
  readonly stored: number
  readonly format: 'full' | 'vcdiff' | 'tombstone'
}

export type Delta = {
  readonly rev: number
  /** Of the revision that it changes; absent where it is a whole value. */
  readonly base: number | undefined
  readonly format: string
  readonly bytes: Buffer | null
  readonly crc32c: string
  readonly size: number
}

export type Listed = Revision & { readonly key: Buffer }

/** A view that is left behind goes by itself. */
const ttlMs = 60_000

export class RevisionClient {
  readonly client: KafkaClient

  constructor(client: KafkaClient) {
    this.client = client
  }

  /** Records of a view that is made for them, partition by partition. */
  async *#shown(topic: string, kind: string, filters: Readonly<Record<string, string>>): AsyncGenerator<RecordRead> {
    // Not beginning as the topic does, or whoever follows a pattern would meet it.
    const name = `twiglog-rev-${randomUUID()}`
    const configs = { 'view.of': topic, 'view.kind': kind, 'view.ttl.ms': String(ttlMs), ...filters }
    await this.#make(name, configs)
    try {
      const view = await this.client.topic(name)
      for (const [partition, { start, end }] of await this.client.bounds(view)) {
        yield* readPartition(this.client, view, partition, { from: start, until: end })
      }
    } finally {
      await this.client.deleteTopic(name).catch(() => {})
    }
  }

  async #make(view: string, configs: Readonly<Record<string, string>>): Promise<void> {
    try {
      await this.client.createTopic(view, configs)
    } catch (cause) {
      if (cause instanceof Refused && cause.error === 'INVALID_CONFIG') await expectTwiglog(this.client)
      throw cause
    }
  }

  /** Oldest first, partition by partition. */
  async *listed(topic: string, key?: Buffer): AsyncGenerator<Listed> {
    for await (const { partition, key: of, value } of this.#shown(topic, 'list', filterOf(key))) {
      const { rev, offset, ts, size, stored, format } = JSON.parse(String(value))
      yield { partition, key: of!, rev, offset, timestamp: ts, size, stored, format }
    }
  }

  /** The revisions of a key in the partition that has it: the one given, else the one where it was written last. */
  async revisions(topic: string, key: Buffer, partition?: number): Promise<Revision[]> {
    const byPartition = new Map<number, Revision[]>()
    for await (const revision of this.listed(topic, key)) {
      const found = byPartition.get(revision.partition) ?? []
      byPartition.set(revision.partition, found)
      found.push(revision)
    }
    if (partition !== undefined) return byPartition.get(partition) ?? []
    const newest = (revisions: readonly Revision[]) => revisions.at(-1)!.timestamp
    return [...byPartition.values()].sort((a, b) => newest(b) - newest(a))[0] ?? []
  }

  /** What each revision changes, as the broker tells it. */
  async deltas(topic: string, key: Buffer, partition: number): Promise<Delta[]> {
    const found: Delta[] = []
    for await (const record of this.#shown(topic, 'diff', filterOf(key))) {
      if (record.partition !== partition) continue
      const told = new Map(record.headers.map(({ key, value }) => [String(key), String(value)]))
      const format = told.get('rev.format') ?? ''
      found.push({
        rev: Number(told.get('rev')),
        // A producer's own header may be called so where the broker has nothing to say.
        base: format === 'vcdiff' ? Number(told.get('rev.base')) : undefined,
        format,
        bytes: record.value,
        crc32c: told.get('rev.crc32c') ?? '',
        size: Number(told.get('rev.size')),
      })
    }
    return found
  }

  /** Packed values that the topic's JSON index does not know; undefined where it has none. */
  async unparsed(topic: string): Promise<number | undefined> {
    const told = (await this.client.configs([topic])).get(topic)?.get('revision.index.unparsed')
    return told === undefined || told === null ? undefined : Number(told)
  }

  /** The record of a revision, from the topic itself. */
  async record(topic: TopicSeen, { partition, offset }: Revision): Promise<RecordRead | undefined> {
    for await (const record of readPartition(this.client, topic, partition, { from: offset, until: offset + 1 }))
      return record
    return undefined
  }

  /** Those at or before a point. */
  async upTo(topic: TopicSeen, revisions: readonly Revision[], point: Point): Promise<Revision[]> {
    const { partition } = revisions[0] ?? { partition: 0 }
    switch (point.kind) {
      case 'rev':
        return revisions.filter(({ rev }) => rev <= point.rev)
      case 'offset':
        return revisions.filter(({ offset }) => offset < point.offset)
      case 'timestamp': {
        const end = await this.client.offsetAt(topic, partition, point.timestamp)
        return end === undefined ? [...revisions] : revisions.filter(({ offset }) => offset < end)
      }
      default:
        return [...revisions]
    }
  }
}

const filterOf = (key: Buffer | undefined): Record<string, string> =>
  key === undefined ? {} : { 'view.key.base64': key.toString('base64') }
