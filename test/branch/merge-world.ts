// Branches as bare logs, without a broker: forked by forkLog, known by a Lineage, merged by MergePlan. What a merge does to keys
// can be tried here thousands of times a second.

import { encodeBatch } from '../../protocol/records/builder.ts'
import type { RecordHeader } from '../../protocol/records/record.ts'
import type { ConflictRule, Strategy } from '../../src/branch/commands.ts'
import { heritageAt } from '../../src/branch/heritage.ts'
import { Lineage } from '../../src/branch/lineage.ts'
import { MergePlan } from '../../src/branch/merge-plan.ts'
import type { PairOptions } from '../../src/branch/pair.ts'
import { pinsOf } from '../../src/branch/pins.ts'
import { eachBatchAtOnce, Fates, noWalk, recordOf, type Turns, walkBatch } from '../../src/branch/reading.ts'
import { raised } from '../../src/branch/vector.ts'
import { forkLog } from '../../src/log/fork.ts'
import { Log } from '../../src/log/log.ts'
import type { LogConfig } from '../../src/log/log-config.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { smallConfig } from '../log/log-environment.ts'

export type Seen = {
  offset: number
  key: string | null
  value: string | null
  timestamp: number
  headers: RecordHeader[]
}

export type Wish = {
  strategy?: Exclude<Strategy, 'fast-forward'>
  fields?: 'json'
  onConflict?: ConflictRule
  keys?: readonly string[]
  reads?: readonly string[]
  /** Keys that stand in open conflict. */
  open?: readonly string[]
  /** Runs between planning and the moment of the merge. */
  meanwhile?: () => void
  /** What others do whenever the plan rests. */
  atRest?: () => void
}

/** No rest between slices: nobody else is there. */
const never = () => false
const hasty: Turns = { rest: async () => {}, isOver: never }

export class World {
  readonly store = new MemoryStore()
  readonly lineage = new Lineage()
  readonly logs = new Map<string, Log>()
  readonly #epochs = new Map<string, number>()
  readonly #config: LogConfig
  #merges = 0
  now = 1000

  constructor(config: Partial<LogConfig> = {}) {
    this.#config = { ...smallConfig, ...config }
  }

  root(name: string): Log {
    const log = new Log(this.store, `topics/${name}/0`, this.#config)
    this.logs.set(name, log)
    this.#epochs.set(name, 0)
    return log
  }

  log(name: string): Log {
    return this.logs.get(name)!
  }

  #options(name: string) {
    return { leaderEpoch: this.#epochs.get(name)!, now: this.now }
  }

  fork(from: string, name: string, at?: number): Log {
    const parent = this.log(from)
    const offset = at ?? parent.logEndOffset
    const leaderEpoch = this.#epochs.get(from)! + 1
    const folder = `topics/${name}/0`
    const outcomeOf = () => 'ABORT' as const
    const { inherited } = forkLog(this.store, parent, folder, { offset, leaderEpoch, now: this.now, outcomeOf })
    const log = new Log(this.store, folder, this.#config, inherited)
    this.logs.set(name, log)
    this.#epochs.set(name, leaderEpoch)
    const heritage = heritageAt(this.lineage, from, 0, offset, (id) => this.logs.has(id))
    const made = { id: name, name, from, fromId: from, groups: 'none', sharedBytes: 0, copiedBytes: 0 } as const
    const topic = { ...made, partitions: [{ ...inherited, ...heritage }] }
    this.lineage.apply({ v: 1, type: 'fork', id: `f-${name}`, at: this.now, by: 'me', topics: [topic] })
    return log
  }

  /** A fast-forward; where the target's log is not the beginning of the source's, or all of it, nothing is done. */
  forward(from: string, into: string): boolean {
    const [source, to, end] = [this.log(from), this.stable(from), this.log(into).logEndOffset]
    const [theirs, own] = [this.lineage.knowledge(from, 0), this.lineage.knowledge(into, 0)]
    const isOpen = this.stable(into) < end
    if (end >= to || isOpen || !own.isPrefixOf(theirs, 0, end)) return false
    const leaderEpoch = Math.max(this.#epochs.get(from)!, this.#epochs.get(into)!) + 1
    const id = `m${++this.#merges}`
    const folder = `topics/${into}~${id}/0`
    const outcomeOf = () => 'ABORT' as const
    const { inherited } = forkLog(this.store, source, folder, { offset: to, leaderEpoch, now: this.now, outcomeOf })
    this.log(into).release()
    this.logs.set(into, new Log(this.store, folder, this.#config, inherited))
    this.#epochs.set(into, leaderEpoch)
    const { [into]: _, ...learnt } = raised(theirs.knownAt(to), { [from]: to })
    const moved = { partition: 0, from: end, to, first: end, last: to - 1, known: raised(own.known, learnt), end: to }
    const partitions = [{ ...moved, spans: theirs.asOf(to).spans, merged: theirs.mergedWithin(end, to) }]
    const forwarded = { folder, partitions: [inherited] }
    const made = { v: 1, type: 'merge', id, at: this.now, by: 'me', op: 'merge', status: 'committed' } as const
    const counts = { written: to - end, same: 0, skipped: 0, conflicts: 0 }
    this.lineage.apply({
      ...made,
      counts,
      topics: [{ from, fromId: from, into, intoId: into, partitions, forwarded }],
    })
    return true
  }

  /** The topic is deleted. */
  drop(name: string): void {
    this.log(name).release()
    this.logs.delete(name)
    this.lineage.removed(name)
  }

  /** Values by key; null deletes, and a null key has none. */
  write(name: string, ...records: readonly (readonly [key: string | null, value: string | null])[]): number {
    const timestamp = this.now
    const bytes = encodeBatch({ records: records.map(([key, value]) => ({ key, value, timestamp })) })
    return this.log(name).appendOwn(bytes, this.#options(name)).baseOffset
  }

  /** As part of a transaction of a producer. */
  send(name: string, producerId: number, key: string, value: string | null): void {
    const options = { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true }
    const bytes = encodeBatch({ ...options, records: [{ key, value, timestamp: this.now }] })
    this.log(name).appendOwn(bytes, this.#options(name))
  }

  end(name: string, producerId: number, type: 'COMMIT' | 'ABORT'): void {
    const source = { producerId, producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 1 }
    this.log(name).appendMarker({ type, ...source, timestamp: this.now }, this.#options(name))
  }

  /** Of a branch what its parent knows is pinned, as the broker has it. */
  async compact(name: string): Promise<void> {
    const log = this.log(name)
    log.roll()
    // The newest record of a log stays where it is.
    this.write(name, [`filler ${name}`, '.'])
    await log.flush()
    await log.compact(this.now, undefined, pinsOf(this.lineage, name, 0))
  }

  stable(name: string): number {
    const log = this.log(name)
    return Math.min(log.producers.transactions.firstUnstable(log.logEndOffset), log.logEndOffset)
  }

  #sparing(name: string) {
    const branch = this.lineage.branches.get(name)
    return branch === undefined ? {} : { sparesFor: branch.fromId }
  }

  async plan(from: string, into: string, wish: Wish = {}, id = `m${++this.#merges}`): Promise<MergePlan> {
    const { strategy = 'three-way', fields, onConflict = 'fail', keys, reads = [], open = [], atRest } = wish
    const end = this.stable(from)
    const options: PairOptions = {
      id,
      partition: 0,
      source: {
        topic: from,
        log: this.log(from),
        knowledge: this.lineage.knowledge(from, 0).upTo(end),
        ...this.#sparing(from),
        end,
      },
      target: {
        topic: into,
        log: this.log(into),
        knowledge: this.lineage.knowledge(into, 0),
        ...this.#sparing(into),
        messageBytesMax: this.#config.maxMessageBytes,
        codec: undefined,
      },
      strategy,
      fields,
      onConflict,
      isPick: keys !== undefined,
      ...(keys === undefined ? {} : { wants: (key: Buffer) => keys.includes(key.toString()) }),
      reads: reads.map((key) => Buffer.from(key)),
      open: new Map(open.map((key) => [key, {}])),
      producer: { producerId: 900_000 + this.#merges, producerEpoch: 0 },
      seed: Buffer.alloc(32, 7),
      turns: atRest === undefined ? hasty : { rest: async () => atRest(), isOver: never },
      keysShown: 1000,
    }
    const plan = new MergePlan(options)
    await plan.prepare()
    return plan
  }

  /** The plan that was carried out; one that is refused has written nothing. */
  async merge(from: string, into: string, wish: Wish = {}): Promise<MergePlan> {
    const id = `m${++this.#merges}`
    const to = this.stable(from)
    const plan = await this.plan(from, into, wish, id)
    wish.meanwhile?.()
    plan.conclude()
    if (plan.isRefused) return plan
    const log = this.log(into)
    const first = log.logEndOffset
    let producerId: number | undefined
    const append = (bytes: Buffer) => {
      producerId = Number(bytes.readBigInt64BE(43))
      log.appendOwn(bytes, this.#options(into))
    }
    plan.batches().forEach(append)
    plan.lateBatches(log.logEndOffset).forEach(append)
    const last = log.logEndOffset - 1
    if (producerId !== undefined) this.end(into, producerId, 'COMMIT')
    const written = last < first ? {} : { first, last }
    const loose = plan.loose === undefined ? {} : { loose: plan.loose }
    const weighed = plan.isWeighed ? ({ isWeighed: true } as const) : {}
    const partition = {
      partition: 0,
      from: plan.from,
      to,
      ...written,
      ...loose,
      ...weighed,
      known: plan.known,
      end: log.logEndOffset,
    }
    const topic = { from, fromId: from, into, intoId: into, partitions: [partition] }
    const made = { v: 1, type: 'merge', id, at: this.now, by: 'me', op: 'merge', status: 'committed' } as const
    this.lineage.apply({ ...made, topics: [topic], counts: plan.counts })
    return plan
  }

  /** What a reader of committed data sees. */
  records(name: string, from = 0): Seen[] {
    const log = this.log(name)
    const found: Seen[] = []
    const fates = new Fates(log, from, log.logEndOffset)
    eachBatchAtOnce(log, from, log.logEndOffset, (bytes, position) => {
      if (fates.of(bytes, position) !== 'committed') return noWalk
      return walkBatch(bytes, position, from, log.logEndOffset, (cursor) => {
        const { offset, key, value, timestamp, headers } = recordOf(bytes, position, cursor)
        const own = headers.map((header) => ({ key: header.key, value: header.value && Buffer.from(header.value) }))
        found.push({ offset, key: key?.toString() ?? null, value: value?.toString() ?? null, timestamp, headers: own })
      })
    })
    return found
  }

  /** Newest value of every key; a deleted one is null. */
  state(name: string): Record<string, string | null> {
    return Object.fromEntries(
      this.records(name)
        .filter(({ key }) => key !== null)
        .map(({ key, value }) => [key, value]),
    )
  }
}
