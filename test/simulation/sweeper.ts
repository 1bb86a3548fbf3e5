// Topics of which something goes: a compacted one (KIP-354), one that keeps three revisions of each key, forks of both, which keep what
// was there at the cut, and one that keeps so many bytes and whose records are deleted. Beside a model that is the list of all that
// was ever written.

import { errorName } from '../../protocol/errors.ts'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import type { StoredRecord } from '../../protocol/records/record.ts'
import { isOfTheConnection, Refusal, walk } from '../crash-lab/log-reader.ts'
import type { Wanted } from '../crash-lab/making.ts'
import { type Caller, Lost } from './caller.ts'
import type { Lists } from './lists.ts'
import { writeOnce } from './write-once.ts'

const swept = 'swept'
const kept = 'kept'
const keptCount = 3
const state = 'kept-state'
const short = 'short'
const small = { 'internal.segment.bytes': '1024' }
export const sweptTopics: readonly Wanted[] = [
  {
    name: swept,
    partitions: 1,
    configs: {
      ...small,
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.01',
      'delete.retention.ms': '2000',
      'message.timestamp.type': 'LogAppendTime',
    },
  },
  {
    name: kept,
    partitions: 1,
    configs: { ...small, 'revision.diff': 'true', 'revision.keep': `last:${keptCount}`, 'revision.pack.lag.ms': '200' },
  },
  { name: state, partitions: -1, configs: { 'view.of': kept, 'view.kind': 'state' } },
  { name: short, partitions: 1, configs: { ...small, 'retention.bytes': '4000', 'compression.type': 'lz4' } },
]
/** Retention by size leaves more than these. */
const leastLeft = 8
const forksMax = 2

type Written = { readonly key: string; readonly value: string | null }

export class Sweeper {
  readonly #caller: Caller
  readonly #orders: Pick<Lists, 'order'>
  readonly #chance: () => number
  readonly #wrong: (what: string) => void
  readonly #right: () => void
  /** By the names of topics, all that was written, in its order. */
  readonly #written = new Map<string, readonly Written[]>([
    [swept, []],
    [kept, []],
    [short, []],
  ])
  #n = 0
  #isLost = false
  /** Of the short one: below these nothing is to be there, and nothing was. */
  #deletedTo = 0
  #startedAt = 0
  #powerCuts = 0
  /** Asked for, whether it was heard or not. */
  #deletionAsked = 0

  constructor(
    caller: Caller,
    orders: Pick<Lists, 'order'>,
    chance: () => number,
    wrong: (what: string) => void,
    right: () => void,
  ) {
    this.#caller = caller
    this.#orders = orders
    this.#chance = chance
    this.#wrong = wrong
    this.#right = right
  }

  async sweep(): Promise<void> {
    if (this.#isLost) return
    try {
      const forks = [...this.#written.keys()].filter((name) => name.includes('--'))
      for (let i = 0; i < 5; i++) for (const name of [swept, kept]) await this.#write(name)
      for (let i = 0; i < 3; i++) await this.#write(short)
      if (this.#chance() < 0.4) await this.#delete()
      if (this.#chance() < 0.5 && forks.length < forksMax) await this.#fork()
      else if (forks.length > 0 && this.#chance() < 0.5) await this.#write(forks[0]!)
      else if (forks.length > 0) await this.#abandon(forks[0]!)
      await this.look()
    } catch (problem) {
      if (!(problem instanceof Lost) && !isOfTheConnection(problem)) throw problem
      this.#caller.close()
    }
  }

  /** Where a log begins is written down without waiting for the disk, as in Kafka. */
  powerCut(): void {
    this.#powerCuts++
    this.#startedAt = 0
    this.#deletedTo = 0
  }

  /** By a new connection. */
  async lookAnew(): Promise<void> {
    this.#caller.close()
    await this.look()
  }

  async look(): Promise<void> {
    if (this.#isLost) return
    for (const name of this.#written.keys()) {
      if (name === short) await this.#lookShort()
      else await this.#lookSwept(name)
    }
    await this.#lookState()
  }

  async #write(name: string): Promise<void> {
    const written = this.#written.get(name)!
    const records = Array.from({ length: 1 + Math.floor(this.#chance() * 3) }, (_, i): Written => {
      const key = `k${Math.floor(this.#chance() * 4)}`
      const isGone = name !== short && this.#chance() < 0.15
      return { key, value: isGone ? null : `${name}.${written.length + i} `.padEnd(60, 'x') }
    })
    this.#isLost = true // until it is known
    const timestamp = Date.now()
    await writeOnce(
      this.#caller,
      name,
      records.map((each) => ({ ...each, timestamp, headers: [] })),
    )
    this.#isLost = false
    this.#written.set(name, [...written, ...records])
  }

  /** Of records that are there, by their count: nothing but records has an offset here. */
  async #delete(): Promise<void> {
    const end = this.#written.get(short)!.length
    const offset = Math.floor(this.#startedAt + this.#chance() * (end - this.#startedAt))
    this.#deletionAsked = Math.max(this.#deletionAsked, offset)
    const topics = [{ name: short, partitions: [{ partitionIndex: 0, offset }] }]
    const known = ['OFFSET_OUT_OF_RANGE'] // retention was there before
    const powerCuts = this.#powerCuts
    const told = await this.#caller.insist(
      deleteRecords,
      2,
      { topics, timeoutMs: 5000 },
      (answer) => answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
      known,
    )
    const { errorCode, lowWatermark } = told.topics[0]!.partitions[0]!
    if (errorCode !== 0) return
    if (lowWatermark < offset) this.#wrong(`${short} begins at ${lowWatermark} when all below ${offset} was deleted`)
    // An answer may be on its way when the power fails.
    if (powerCuts === this.#powerCuts) this.#deletedTo = Math.max(this.#deletedTo, lowWatermark)
  }

  async #fork(): Promise<void> {
    const from = this.#chance() < 0.5 ? swept : kept
    const to = `${from}--f${++this.#n}`
    this.#isLost = true
    const status = await this.#orders.order(`sweep-fork-${this.#n}`, { op: 'fork', from, to })
    this.#isLost = status === undefined
    if (status === 'done') this.#written.set(to, this.#written.get(from)!)
  }

  async #abandon(branch: string): Promise<void> {
    this.#isLost = true
    const status = await this.#orders.order(`sweep-abandon-${branch}`, { op: 'abandon', branch })
    this.#isLost = status === undefined
    if (status === 'done') this.#written.delete(branch)
  }

  async #read(topic: string): Promise<{ start: number; records: StoredRecord[] }> {
    const place = { topic, partition: 0 }
    for (let tries = 1; ; tries++) {
      const client = await this.#caller.client()
      const partitions = [{ partitionIndex: 0, timestamp: -2, currentLeaderEpoch: -1 }]
      const body = { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions }] }
      const answer = await this.#caller.ask(listOffsets, 5, body)
      const { errorCode, offset: start } = answer.topics[0]!.partitions[0]!
      if (errorCode !== 0) throw new Refusal(`ListOffsets of ${topic}`, errorName(errorCode) ?? '?')
      const records: StoredRecord[] = []
      try {
        await walk(client, place, start, 0, (record) => void records.push(record))
        return { start, records }
      } catch (problem) {
        // Retention came between.
        if (!(problem instanceof Refusal) || problem.error !== 'OFFSET_OUT_OF_RANGE' || tries > 3) throw problem
      }
    }
  }

  async #lookShort(): Promise<void> {
    const written = this.#written.get(short)!
    const { start, records } = await this.#read(short)
    const found = records.map(({ offset, key, value }) => `${offset} ${key} ${value}`)
    const due = written.map(({ key, value }, offset) => `${offset} ${key} ${value}`).slice(start)
    if (found.join() !== due.join())
      this.#wrong(`${short} has from ${start} on ${found.length} records, or others, where ${due.length} are due`)
    else if (start < this.#startedAt) this.#wrong(`${short} began at ${this.#startedAt}, and begins at ${start}`)
    else if (start < this.#deletedTo) this.#wrong(`${short} begins at ${start}: ${this.#deletedTo} was deleted`)
    else if (start > this.#deletionAsked && written.length - start < leastLeft)
      this.#wrong(`${short} begins at ${start} of ${written.length}: more than retention takes is gone`)
    else this.#right()
    this.#startedAt = start
  }

  /**
   * What is there was written, in this order; of each key the newest are there, as many as are kept. Where only one is, it may be
   * nothing instead of a tombstone.
   */
  async #lookSwept(name: string): Promise<void> {
    const written = this.#written.get(name)!
    const { records } = await this.#read(name)
    const found = new Map<string, (string | null)[]>()
    let last = -1
    for (const { offset, key, value } of records) {
      const was = written[offset]
      const text = textOf(value)
      if (offset <= last || was === undefined || was.key !== String(key) || was.value !== text)
        this.#wrong(
          `${name} has ${key}=${text} at ${offset} behind ${last}, where ${was?.key}=${was?.value} was written`,
        )
      last = offset
      found.set(String(key), [...(found.get(String(key)) ?? []), text])
    }
    const count = name.startsWith(kept) ? keptCount : 1
    for (const [key, all] of byKey(written)) {
      const there = found.get(key) ?? []
      const [due, newest] = [all, there].map((of) => JSON.stringify(of.slice(-count)))
      if (newest === due || (count === 1 && all.at(-1) === null && there.length === 0)) this.#right()
      else this.#wrong(`${name} has ${newest} as the newest of ${key}, where ${due} was written last`)
    }
  }

  /** The view of the newest revisions. */
  async #lookState(): Promise<void> {
    const { records } = await this.#read(state)
    const shown = new Map(records.map(({ key, value }) => [String(key), textOf(value)]))
    for (const [key, all] of byKey(this.#written.get(kept)!)) {
      if (shown.get(key) === all.at(-1)) this.#right()
      else this.#wrong(`${state} shows ${shown.get(key)} for ${key}, where ${all.at(-1)} was written last`)
    }
  }
}

const textOf = (value: Buffer | null): string | null => (value === null ? null : String(value))

function byKey(written: readonly Written[]): Map<string, (string | null)[]> {
  const by = new Map<string, (string | null)[]>()
  for (const { key, value } of written) {
    const of = by.get(key)
    if (of === undefined) by.set(key, [value])
    else of.push(value)
  }
  return by
}
