// Records that a share group has given up, copied to the topic that it names for them (KIP-1191). Written before the
// record is done: after a kill it may be there twice, never not at all.

import { Refusal } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { type BatchRecord, encodeBatch } from '../../protocol/records/builder.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { insideOf } from '../branch/set-names.ts'
import type { Broker } from '../broker/broker.ts'
import type { Partition } from '../broker/partition.ts'
import { seenBy, wordsOf } from '../broker/set-view.ts'
import type { Topic } from '../broker/topic.ts'
import { borrow } from '../storage/file.ts'
import type { ShareKey } from './records.ts'

export const burials = {
  rejected: 'Offset rejected by client.',
  exhausted: 'Offset delivery count exceeded the threshold.',
} as const
export type Burial = keyof typeof burials

export type DeadLetter = {
  readonly first: number
  readonly last: number
  readonly deliveryCount: number
  readonly burial: Burial
}

/** Far below what a topic accepts. */
const batchBytesMax = 256 * 1024
const readBytes = 1024 * 1024
/** The level of share.version from which on there are dead letters. */
const sinceLevel = 2

export class DeadLetters {
  readonly #broker: Broker

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** Undefined where the group wants none. Never rejects: a record that cannot be copied is given up all the same. */
  bury(of: ShareKey, letters: readonly DeadLetter[]): Promise<void> | undefined {
    const name = this.#broker.groupConfig(of.groupId).string('errors.deadletterqueue.topic.name')
    if (name === '' || this.#broker.features.level('share.version') < sinceLevel) return undefined
    return this.#bury(name, of, letters).catch((cause: unknown) => {
      const range = letters.map(({ first, last }) => `${first}-${last}`).join(', ')
      console.error(`Group ${of.groupId} gives up records ${range} without a copy in ${name}: ${String(cause)}`)
    })
  }

  async #bury(name: string, of: ShareKey, letters: readonly DeadLetter[]): Promise<void> {
    const source = this.#broker.topicById(of.topicId)
    if (source === undefined) return
    const topic = await this.#topic(name, of.groupId)
    const target = topic.partitions[of.partition % topic.partitions.length]!
    const copies = this.#broker.groupConfig(of.groupId).boolean('errors.deadletterqueue.copy.record.enable')
    const timestamp = this.#broker.clock.now()
    const records = letters.flatMap((letter) => {
      const originals = copies ? read(source.partitions[of.partition]!, letter) : undefined
      return epitaphs(wordsOf(this.#broker, of.groupId).shown(source.name), of, letter, timestamp, originals)
    })
    for (const some of portions(records)) target.appendOwn(encodeBatch({ records: some }))
    await target.flushed()
  }

  /** By the name that the group knows it by. */
  async #topic(named: string, groupId: string): Promise<Topic> {
    const { config } = this.#broker
    const prefix = config.string('errors.deadletterqueue.topic.name.prefix')
    if (!named.startsWith(prefix)) throw new Error(`its name does not begin with ${prefix}`)
    const broker = seenBy(this.#broker, groupId)
    const name = wordsOf(this.#broker, groupId).stored(named)
    const topic = broker.topic(name)
    if (topic !== undefined) {
      if (topic.config.boolean('errors.deadletterqueue.group.enable')) return topic
      throw new Error('errors.deadletterqueue.group.enable is false there')
    }
    if (!config.boolean('errors.deadletterqueue.auto.create.topics.enable')) throw new Error('there is no such topic')
    const configs = { 'errors.deadletterqueue.group.enable': 'true', 'message.timestamp.type': 'CreateTime' }
    const wanted = { name, partitions: -1, configs }
    const refusal = broker.checkNewTopic(wanted)
    if (refusal !== undefined) throw new Error(refusal.message)
    const [made] = await broker.createTopics([wanted])
    return made!
  }
}

type Original = { readonly key: Buffer | null; readonly value: Buffer | null }

/** Keys and values by offset; what compaction has taken away is missing. */
function read(partition: Partition, { first, last }: DeadLetter): Map<number, Original> {
  const found = new Map<number, Original>()
  for (let offset = first; offset <= last; ) {
    const at = partition.read(offset, readBytes, false, true, true)
    if (at instanceof Refusal) break
    const from = offset
    borrow(at.lease, (bytes) => {
      for (const position of batch.iterateBatches(bytes)) {
        if (batch.baseOffset(bytes, position) > last) break
        offset = batch.nextOffset(bytes, position)
        if (batch.isControl(bytes, position)) continue
        for (const { offset: of, key, value } of readRecords(bytes, position)) {
          const isWanted = of >= first && of <= last
          if (isWanted) found.set(of, { key: key && Buffer.from(key), value: value && Buffer.from(value) })
        }
      }
    })
    if (offset === from) break
  }
  return found
}

/** What is written of each record; nothing of one that is not there. */
function epitaphs(
  topic: string,
  { groupId, partition }: ShareKey,
  { first, last, deliveryCount, burial }: DeadLetter,
  timestamp: number,
  originals: ReadonlyMap<number, Original> | undefined,
): BatchRecord[] {
  const header = (key: string, value: string | number) => ({
    key: `__dlq.errors.${key}`,
    value: Buffer.from(String(value)),
  })
  const records: BatchRecord[] = []
  for (let offset = first; offset <= last; offset++) {
    const original = originals?.get(offset)
    if (originals !== undefined && original === undefined) continue
    const headers = [
      header('topic', topic),
      header('partition', partition),
      header('offset', offset),
      header('group', insideOf(groupId)?.id ?? groupId),
      header('delivery.count', deliveryCount),
      header('message', burials[burial]),
    ]
    records.push({ key: original?.key ?? null, value: original?.value ?? null, timestamp, headers })
  }
  return records
}

function* portions(records: readonly BatchRecord[]): Generator<BatchRecord[]> {
  let some: BatchRecord[] = []
  let byteCount = 0
  for (const record of records) {
    some.push(record)
    byteCount += (record.key?.length ?? 0) + (record.value?.length ?? 0) + 300
    if (byteCount < batchBytesMax) continue
    yield some
    some = []
    byteCount = 0
  }
  if (some.length > 0) yield some
}
