// A broker that is stopped and killed, and what the model (hearsay.ts) says of the topics on it.

import { expect } from 'vitest'
import { type BatchOptions, encodeBatch } from '../../protocol/records/builder.ts'
import type { CodecName } from '../../protocol/records/compression.ts'
import type { BranchEvent } from '../../src/branch/events.ts'
import { commandsTopic } from '../../src/branch/json-topics.ts'
import type { Partition } from '../../src/broker/partition.ts'
import type { Topic } from '../../src/broker/topic.ts'
import { checkStore } from '../../src/cli/check.ts'
import { readCommitted } from '../../src/command/committed-records.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { newId, type Shown, Side } from './hearsay.ts'
import { Rooms } from './merge-rooms.ts'

export type Writing = {
  readonly records: readonly { readonly key: string | null; readonly value: string | null }[]
  readonly codec: CodecName
  readonly by: 'nobody' | 'one that counts' | 'commit' | 'abort'
}

const partitionCount = 2
const partitionOf = (key: string | null): number => (key === null ? 0 : key.charCodeAt(0) % partitionCount)
export const shownOf = ({ offset, key, value, timestamp }: Shown) => `${offset} ${key}=${value} @${timestamp}`
export const isFrozen = ({ config }: Topic): boolean => config.protection === 'frozen'

export class WholeBroker {
  rooms!: Rooms
  killCount = 0
  /** Some topic is gone: what it alone could say nobody can. */
  hasDeleted = false
  hasCompacted = false
  readonly configs: Readonly<Record<string, string>>
  #store = new FaultyStore()
  /** By topic id. */
  readonly #sides = new Map<string, Side[]>()
  #commandCount = 0
  #dieIn: number | undefined
  readonly #producer = { producerId: 77_000, producerEpoch: 0, sequences: new Map<string, number>() }

  constructor(configs: Readonly<Record<string, string>>) {
    this.configs = configs
  }

  async begin(): Promise<void> {
    this.rooms = await Rooms.open(this.#store)
    const wanted = ['p', 'q'].map((name) => ({ name, partitions: partitionCount, configs: this.configs }))
    for (const { id } of await this.broker.createTopics(wanted)) {
      const sides = Array.from({ length: partitionCount }, () => new Side())
      for (const side of sides) side.note(0)
      this.#sides.set(id, sides)
    }
  }

  get broker() {
    return this.rooms.broker
  }

  get needsKeys(): boolean {
    return this.configs['cleanup.policy'] === 'compact' || this.configs['revision.diff'] === 'true'
  }

  // --- topics

  /** In an order that no name decides. */
  get topics(): Topic[] {
    return [...this.#sides.keys()].flatMap((id) => this.broker.topicById(id) ?? [])
  }

  topicAt(place: number): Topic {
    const { topics } = this
    return topics[place % topics.length]!
  }

  side(topicId: string, partition: number): Side {
    return this.#sides.get(topicId)![partition]!
  }

  sides(topicId: string): Side[] {
    return this.#sides.get(topicId)!
  }

  add(topicId: string, sides: Side[]): void {
    this.#sides.set(topicId, sides)
  }

  forget(topicId: string): void {
    this.hasDeleted = true
    this.#sides.delete(topicId)
  }

  get gone(): string[] {
    return [...this.#sides.keys()].filter((id) => this.broker.topicById(id) === undefined)
  }

  /** What has come since somebody looked. A kill may have put another broker in the place of the one that was asked. */
  arrived(topicId: string, partition: number): Shown[] {
    return committed(this.broker.topicById(topicId)!.partitions[partition]!, this.side(topicId, partition).end)
  }

  endOf(topicId: string, partition: number): number {
    return this.broker.topicById(topicId)!.partitions[partition]!.logEndOffset
  }

  // --- commands, and who dies of them

  /** While the next command is under way, at the n-th change of the disk. */
  dieIn(changes: number): void {
    this.#dieIn = changes
  }

  /** Its result; undefined where a kill came before it was heard. */
  async command(command: object): Promise<BranchEvent | undefined> {
    const id = `id-${++this.#commandCount}`
    let left: FaultyStore | undefined
    if (this.#dieIn !== undefined) {
      let count = this.#dieIn
      this.#dieIn = undefined
      this.#store.fault = (operation) => {
        if (operation !== 'read' && count-- === 0) left = this.#store.after('kill')
        return undefined
      }
    }
    await this.rooms.command({ ...command, id })
    await this.rooms.told(id, 1)
    this.#store.fault = () => undefined
    if (left !== undefined) {
      this.killCount++
      await this.#reopen(left)
      const commands = this.broker.topic(commandsTopic)?.partitions[0]
      const isHeard = commands !== undefined && committed(commands, 0).some(({ value }) => value?.includes(`"${id}"`))
      if (!isHeard) return undefined
      await this.rooms.told(id, 1)
    }
    const [event] = this.rooms.results(id)
    return event
  }

  /** The same, where nothing can be said against it. */
  async done(command: object): Promise<BranchEvent | undefined> {
    const event = await this.command(command)
    if (event !== undefined) expect(event, JSON.stringify(command)).toMatchObject({ status: 'done' })
    return event
  }

  kill(): Promise<void> {
    return this.#reopen(this.#store.after('kill'))
  }

  async restart(): Promise<void> {
    await this.broker.close()
    await this.kill()
  }

  async #reopen(left: FaultyStore): Promise<void> {
    await this.rooms.stop()
    const { findings } = checkStore(left)
    expect(findings.filter(({ kind }) => kind === 'damage')).toEqual([])
    this.#store = left
    this.rooms = await Rooms.open(left)
  }

  // --- writing

  async write({ name, id, partitions }: Topic, { records, codec, by }: Writing): Promise<void> {
    for (const partition of partitions) {
      const own = records.filter(({ key }) => partitionOf(key) === partition.index && !(key === null && this.needsKeys))
      if (own.length === 0) continue
      const timestamp = this.broker.clock.now()
      const batch = (options: BatchOptions = {}) =>
        encodeBatch({ records: own.map((record) => ({ ...record, timestamp })), codec, ...options })
      if (by === 'nobody') partition.appendOwn(batch())
      else if (by === 'one that counts') this.#count(name, partition, own.length, batch)
      else await this.#transact(name, partition, by, batch)
      const came = this.arrived(id, partition.index)
      const expected = by === 'abort' ? [] : own
      expect(came.map(({ key, value }) => ({ key, value }))).toEqual(expected.map(({ key, value }) => ({ key, value })))
      const kept = came.map((one) => ({ ...one, id: newId() }))
      this.side(id, partition.index).adopt(kept)
    }
  }

  /** As a client counts, who knows a topic by its name. */
  #count(name: string, partition: Partition, count: number, batch: (options: BatchOptions) => Buffer): void {
    const producer = this.#producer
    const place = `${name} ${partition.index}`
    const send = () => {
      const { producerId, producerEpoch, sequences } = producer
      const baseSequence = sequences.get(place) ?? 0
      sequences.set(place, baseSequence + count)
      return partition.append(batch({ producerId, producerEpoch, baseSequence }), 12)
    }
    expect(send()).toMatchObject({ duplicate: false })
  }

  async #transact(
    name: string,
    partition: Partition,
    outcome: 'commit' | 'abort',
    batch: (options: BatchOptions) => Buffer,
  ) {
    const { transactions } = this.rooms
    const made = await transactions.init({ id: 'txn', timeoutMs: 60_000, had: undefined })
    if (typeof made === 'string') throw new Error(made)
    const claim = { id: 'txn', ...made }
    const [error] = await transactions.admit(claim, [{ topic: name, partition: partition.index }], { implicit: true })
    expect(error).toBe('NONE')
    expect(partition.append(batch({ ...made, baseSequence: 0, isTransactional: true }), 12)).toHaveProperty(
      'baseOffset',
    )
    const next = await transactions.end({ ...claim, outcome, clientVersion: 2 })
    if (typeof next === 'string') throw new Error(next)
  }

  // --- looking

  look(what: string): void {
    for (const [id, sides] of this.#sides) {
      const topic = this.broker.topicById(id)
      expect(topic, `${what}: ${id}`).toBeDefined()
      sides.forEach((side, i) => {
        const partition = topic!.partitions[i]!
        const place = `${what}: ${topic!.name} ${i}`
        expect(committed(partition, 0).map(shownOf), place).toEqual(side.records.map(shownOf))
        expect([partition.logStartOffset, partition.lastStableOffset], place).toEqual([
          side.start,
          partition.logEndOffset,
        ])
        side.note(partition.logEndOffset)
      })
    }
  }
}

/** What a reader of committed records sees from an offset on. */
export function committed(partition: Partition, from: number): Shown[] {
  const found: Shown[] = []
  for (let offset = from; ; ) {
    const portion = readCommitted(partition, offset)
    if (portion === undefined) return found
    if (!('records' in portion)) throw new Error(portion.message)
    for (const { key, value, timestamp, offset: at } of portion.records) {
      found.push({ offset: at, key: key?.toString() ?? null, value: value?.toString() ?? null, timestamp })
    }
    offset = portion.nextOffset
  }
}
