// One client that reads: as the only member of two groups, one of which sees committed records alone, and as a member of the
// share group in which all clients are.

import { setTimeout as pause } from 'node:timers/promises'
import { lacks, type OffsetAt, type RecordRead } from '../../compat/hand.ts'
import type { HandProcess } from '../../compat/hand-process.ts'
import type { Player } from './casting.ts'
import { idOf } from './documents.ts'
import type { History } from './history.ts'

export const shareGroup = 'workers'
const pollMs = 60
const restMs = 40
/** A member that has seen nothing for so long is given up: some clients do not come back by themselves. */
const silenceMs = 15_000

export class Reader {
  readonly #player: Player
  readonly #history: History
  readonly #chance: () => number
  readonly #joined = new Map<string, string>()
  readonly #heard = new Map<string, number>()
  #incarnations = 0
  failures = 0
  rejoins = 0
  lastError = ''

  constructor(player: Player, history: History, chance: () => number) {
    this.#player = player
    this.#history = history
    this.#chance = chance
  }

  /** Its groups with what they read. */
  get groups(): readonly (readonly [group: string, topic: string])[] {
    const { name } = this.#player.client
    return [
      [`all-${name}`, 'idem'],
      [`committed-${name}`, 'txn-a'],
    ]
  }

  async run(signal: AbortSignal): Promise<void> {
    let playing: HandProcess | undefined
    while (!signal.aborted) {
      try {
        const hand = await this.#player.hand()
        if (hand !== playing) this.#joined.clear()
        playing = hand
        for (const [group, topic] of this.groups) if (!signal.aborted) await this.#read(hand, group, topic)
        if (lacks(hand.hello, 'joinShare') === undefined && !signal.aborted) await this.#work(hand)
      } catch (problem) {
        this.failures++
        this.lastError = (problem as Error).message.slice(0, 200)
      }
      await pause(restMs)
    }
  }

  /** The name of its member, which joins if it has not. */
  async #member(hand: HandProcess, group: string, join: (consumer: string) => Promise<unknown>): Promise<string> {
    const open = this.#joined.get(group)
    if (open !== undefined && performance.now() - this.#heard.get(group)! < silenceMs) return open
    if (open !== undefined) {
      // What it left behind in its process may hold partitions for ever: members that could not be closed, for one.
      this.rejoins++
      await hand.kill()
      throw new Error(`${open} has been silent for ${silenceMs} ms; another process takes its place`)
    }
    const consumer = `${group}.${this.#player.client.name}.${++this.#incarnations}`
    this.#heard.set(group, performance.now())
    this.#joined.set(group, consumer)
    await join(consumer)
    return consumer
  }

  async #leave(hand: HandProcess, group: string): Promise<void> {
    const consumer = this.#joined.get(group)!
    this.#joined.delete(group)
    const verb = group === shareGroup ? 'closeShare' : 'closeConsumer'
    await hand.ask(verb, { consumer }).catch(() => {})
  }

  async #read(hand: HandProcess, group: string, topic: string): Promise<void> {
    const isCommitted = group.startsWith('committed')
    const isNew = isCommitted && lacks(hand.hello, 'joinGroup', { protocol: 'consumer' }) === undefined
    try {
      const consumer = await this.#member(hand, group, (name) =>
        hand.ask('joinGroup', {
          consumer: name,
          group,
          topics: [topic],
          reset: 'earliest',
          isolation: isCommitted ? 'read_committed' : 'read_uncommitted',
          ...(isNew ? { protocol: 'consumer' } : { sessionTimeoutMs: 6_000 }),
        }),
      )
      const { records } = await hand.ask('poll', { consumer, ms: pollMs })
      if (records.length === 0) return
      this.#heard.set(group, performance.now())
      const offsets: OffsetAt[] = []
      for (const [partition, of] of byPartition(records)) {
        const seen = of.map(({ offset, value }) => [offset, idOf(bytes(value))] as const)
        this.#history.tell({ t: 'read', group, reader: consumer, topic, partition, records: seen })
        offsets.push({ topic, partition, offset: of.at(-1)!.offset + 1 })
      }
      for (const each of offsets) this.#history.tell({ t: 'commit', group, ...each })
      await hand.ask('commitOffsets', { consumer, offsets })
      for (const each of offsets) this.#history.tell({ t: 'committed', group, ...each })
    } catch (problem) {
      await this.#leave(hand, group) // the next one begins at what is committed
      throw problem
    }
  }

  async #work(hand: HandProcess): Promise<void> {
    const topic = 'work'
    try {
      const consumer = await this.#member(hand, shareGroup, (name) =>
        hand.ask('joinShare', { consumer: name, group: shareGroup, topics: [topic] }),
      )
      const { records } = await hand.ask('pollShare', { consumer, ms: pollMs })
      if (records.length === 0) return
      this.#heard.set(shareGroup, performance.now())
      const told = { group: shareGroup, member: consumer, topic }
      const accepting: (readonly [partition: number, offsets: number[]])[] = []
      const of = []
      for (const [partition, given] of byPartition(records)) {
        const offsets = given.map(({ offset }) => offset)
        this.#history.tell({ t: 'given', ...told, partition, offsets })
        const released = new Set(
          given
            .filter(({ deliveryCount = 1 }) => deliveryCount < 2 && this.#chance() < 0.05)
            .map(({ offset }) => offset),
        )
        accepting.push([partition, offsets.filter((offset) => !released.has(offset))])
        for (const offset of offsets)
          of.push({ topic, partition, offset, as: released.has(offset) ? 'release' : 'accept' } as const)
      }
      for (const [partition, offsets] of accepting) this.#history.tell({ t: 'accepting', ...told, partition, offsets })
      await hand.ask('acknowledge', { consumer, of })
      for (const [partition, offsets] of accepting) this.#history.tell({ t: 'accepted', ...told, partition, offsets })
    } catch (problem) {
      await this.#leave(hand, shareGroup)
      throw problem
    }
  }
}

function byPartition(records: readonly RecordRead[]): Map<number, RecordRead[]> {
  const by = new Map<number, RecordRead[]>()
  for (const record of records) {
    const of = by.get(record.partition)
    if (of === undefined) by.set(record.partition, [record])
    else of.push(record)
  }
  return by
}

const bytes = (value: string | null): Buffer | null => (value === null ? null : Buffer.from(value, 'base64'))
