// One partition without a broker: a log that is written, packed, trimmed and opened again, its revisions, and a model that
// remembers all of them. What an index must know can be tried here hundreds of times a second.

import { expect } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { CodecName } from '../../protocol/records/compression.ts'
import { PartitionRevisions } from '../../src/broker/partition-revisions.ts'
import { forkLog } from '../../src/log/fork.ts'
import type { Inherited } from '../../src/log/inherited.ts'
import { Log } from '../../src/log/log.ts'
import type { LogConfig } from '../../src/log/log-config.ts'
import { recordsEnd } from '../../src/log/records-end.ts'
import type { Segment } from '../../src/log/segment.ts'
import type { KeepRules } from '../../src/revision/keep-rules.ts'
import { hashKey, type KeyHash } from '../../src/revision/key-hash.ts'
import { openPack } from '../../src/revision/open-pack.ts'
import { type PackNumbers, packNumbers } from '../../src/revision/pack-numbers.ts'
import { rewrittenBy, runPacking } from '../../src/revision/packing-job.ts'
import type { Revisions } from '../../src/revision/revisions.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { smallConfig } from '../log/log-environment.ts'

export type Known = { key: string; rev: number; offset: number; timestamp: number; value: string | null }
export type Given = { key: string | null; value: string | null }

/** Where its log is, and what that has been forked from. */
type Place = { readonly store: MemoryStore; readonly folder?: string; readonly inherited?: Inherited }

export class RevisionWorld {
  readonly store: MemoryStore
  readonly config: LogConfig
  readonly hash: KeyHash
  /** Revisions that are decided and not dropped, as offsets rise; those of open transactions come when they end. */
  known: Known[] = []
  log: Log
  now = 1000
  readonly pointers: readonly string[]
  readonly #index: PartitionRevisions
  readonly #folder: string
  readonly #inherited: Inherited | undefined
  /** All that ever had a number; whether some of it is gone, of which a fork knows no more than what stands behind it. */
  #numbered: Known[] = []
  #isThinned = false
  /** The first fork offset on the way here. */
  #unsureFrom = Infinity
  #forks = 0
  readonly #open = new Map<number, { offset: number; record: Given; timestamp: number }[]>()
  /** Decided, behind something that is open: their numbers come when all in front of them is decided. */
  #undecided: { offset: number; record: Given; timestamp: number }[] = []
  readonly #counts = new Map<string, number>()

  constructor(
    config: Partial<LogConfig> = {},
    hash: KeyHash = hashKey,
    pointers: readonly string[] = [],
    { store, folder = 'topics/t/0', inherited }: Place = { store: new MemoryStore() },
  ) {
    this.store = store
    this.#folder = folder
    this.#inherited = inherited
    this.hash = hash
    this.pointers = pointers
    this.config = { ...smallConfig, segmentBytes: 1024, needsKeys: true, openPacked: openPack, ...config }
    this.log = new Log(this.store, this.#folder, this.config, this.#inherited)
    this.#index = new PartitionRevisions(this.store, this.#folder, () => this.stable, this.config)
    this.#index.hash = hash
    this.#index.attach(this.log)
  }

  get stable(): number {
    return Math.min(this.log.producers.transactions.firstUnstable(this.log.logEndOffset), this.log.logEndOffset)
  }

  /** What the index has not looked at yet is looked at first. */
  get revisions(): Revisions {
    const revisions = this.#index.of(this.log)
    while (revisions.catchUp());
    return revisions
  }

  /** Not made to catch up. */
  get index(): Revisions {
    return this.#index.of(this.log)
  }

  write(records: readonly Given[], codec: CodecName = 'none', producerId?: number): void {
    const transaction = producerId === undefined ? {} : { producerId, producerEpoch: 0, isTransactional: true }
    const timed = records.map((record) => ({ ...record, timestamp: this.now++ }))
    const bytes = encodeBatch({
      ...transaction,
      baseSequence: producerId === undefined ? -1 : 0,
      codec,
      records: timed,
    })
    const { baseOffset } = this.log.appendOwn(bytes, { leaderEpoch: 0, now: this.now })
    const placed = timed.map(({ timestamp }, i) => ({ offset: baseOffset + i, record: records[i]!, timestamp }))
    if (producerId === undefined) this.#undecided.push(...placed)
    else this.#open.set(producerId, [...(this.#open.get(producerId) ?? []), ...placed])
    this.#decide()
  }

  get openProducers(): number[] {
    return [...this.#open.keys()]
  }

  end(producerId: number, type: 'COMMIT' | 'ABORT'): void {
    const source = { producerId, producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 1 }
    this.log.appendMarker({ type, ...source, timestamp: this.now }, { leaderEpoch: 0, now: this.now })
    if (type === 'COMMIT') this.#undecided.push(...(this.#open.get(producerId) ?? []))
    this.#open.delete(producerId)
    this.#decide()
  }

  #decide(): void {
    const { stable } = this
    for (const { offset, record, timestamp } of this.#undecided.sort((a, b) => a.offset - b.offset)) {
      if (offset >= stable || record.key === null) continue
      const rev = this.#nextRev(record.key, offset)
      this.#counts.set(record.key, rev)
      const of = { key: record.key, rev, offset, timestamp, value: record.value }
      this.known.push(of)
      this.#numbered.push(of)
    }
    this.#undecided = this.#undecided.filter(({ offset }) => offset >= stable)
  }

  /** The next one; of a key that a fork cannot know all of it may leave some out, once. */
  #nextRev(key: string, offset: number): number {
    const rev = (this.#counts.get(key) ?? 0) + 1
    const forkedAt = this.#inherited?.offset ?? Infinity
    const hasOwn = this.#numbered.some((of) => of.key === key && of.offset >= forkedAt)
    if (offset < this.#unsureFrom || hasOwn || !this.#isThinned) return rev
    const { known } = this.revisions
    const place = known.at(offset)!
    const told = place.part.revOf(place.entry)
    expect(told, `the first of ${key} behind the fork, at ${offset}`).toBeGreaterThanOrEqual(rev)
    return told
  }

  /** Goes on beside this one, from an offset on. `start`: what lies below is deleted there, as in the target of a fast-forward. */
  fork(wanted: number, start = 0): RevisionWorld {
    const offset = recordsEnd(this.log, wanted)
    const folder = `${this.#folder}-${this.#forks++}/0`
    const forked = forkLog(this.store, this.log, folder, {
      offset,
      leaderEpoch: 0,
      now: this.now,
      outcomeOf: () => 'ABORT',
    }).inherited
    const logStartOffset = Math.max(forked.logStartOffset, Math.min(start, offset))
    const inherited = { ...forked, logStartOffset }
    this.#index.carryTo(folder, inherited)
    const child = new RevisionWorld(this.config, this.hash, this.pointers, { folder, inherited, store: this.store })
    child.now = this.now
    child.#numbered = this.#numbered.filter((of) => of.offset < offset)
    child.#isThinned = this.#isThinned
    child.#unsureFrom = Math.min(this.#unsureFrom, offset)
    for (const { key, rev } of child.#numbered) child.#counts.set(key, rev)
    child.known = this.known.filter((of) => of.offset < offset)
    child.#undecided = this.#undecided.filter((of) => of.offset < offset)
    child.#decide()
    return child
  }

  /** Those that readers may see. */
  get visible(): Known[] {
    return this.known.filter(({ offset }) => offset >= this.log.logStartOffset)
  }

  trim(offset: number): void {
    this.log.deleteBelow(offset)
  }

  /** The same, counted in slices of a batch; `meanwhile`: what happens between the first and the next. */
  async trimAtEase(offset: number, meanwhile: () => void = () => {}): Promise<boolean> {
    this.#index.sliceBytes = 1
    const counted = this.#index.countBelow(offset)
    meanwhile()
    await counted
    this.trim(offset)
    return counted !== undefined
  }

  /** What is there beyond so many bytes goes, counted in slices of a batch; `meanwhile`: what happens between the first and the next. */
  async retain(bytes: number, meanwhile: () => void = () => {}): Promise<boolean> {
    this.#index.sliceBytes = 1
    Object.assign(this.config, { retentionBytes: bytes })
    const counted = this.#index.countAhead(this.now, () => -1)
    meanwhile()
    await counted
    this.log.retain(this.now)
    // Of a log that goes whole the last file goes when the disk knows where it goes on; mostly that is now.
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    Object.assign(this.config, { retentionBytes: -1 })
    return counted !== undefined
  }

  async reopen(): Promise<void> {
    await this.log.close()
    this.log = new Log(this.store, this.#folder, this.config, this.#inherited)
    this.#index.attach(this.log)
  }

  /** Packs neighbours of what may be packed; `drops` says which revisions are left out, never the newest of a key. */
  async pack(wanted: readonly Segment[], drops: (of: Known) => boolean = () => false): Promise<boolean> {
    const { revisions, pointers, hash } = this
    // No pack spans a seam (broker/packing-plan).
    const seam = this.log.seams.find((seam) => seam > wanted[0]!.baseOffset) ?? Infinity
    const segments = wanted.filter(({ baseOffset }) => baseOffset < seam)
    const from = segments[0]!.baseOffset
    const to = segments.at(-1)!.nextOffset
    const numbers = await packNumbers(revisions, { from, to, rules: keepsAll, now: 0, spared: new Set(), rest: noRest })
    if (numbers === undefined) throw new Error('an index that is outdated')
    const dropped = this.#dropFrom(numbers, from, to, drops)
    const path = `${this.#folder}/${String(from).padStart(20, '0')}.pack.tmp`
    this.store.create(path, 0).close()
    const job = {
      segments,
      nextOffset: to,
      path,
      numbers,
      aborted: segments.flatMap((segment) => [...segment.aborted]),
      takenBack: this.log.abortedTransactions(from, to),
      keyframeEvery: 16,
      diffMaxBytes: 1 << 20,
      pointers,
      indexIntervalBytes: 256,
      hash,
    }
    const packed = await runPacking(this.store, job)
    const rewritten = rewrittenBy(this.store, path, packed)
    await this.#index.carryDropped(revisions, segments, { ...numbers, leftOut: dropped.size })
    const isDone = await this.log.pack(segments, rewritten, true)
    if (isDone) this.known = this.known.filter((of) => !dropped.has(of))
    return isDone
  }

  #dropFrom({ offsets, revs }: PackNumbers, from: number, to: number, drops: (of: Known) => boolean): Set<Known> {
    const newest = new Map(this.known.map((of) => [of.key, of]))
    // What is below the log start may be counted and forgotten.
    const start = Math.max(from, this.log.logStartOffset)
    const inside = this.known.filter(({ offset }) => offset >= start && offset < to)
    const told = [...offsets].flatMap((offset, i) => (offset < start ? [] : [`${revs[i]} at ${offset}`]))
    expect(told).toEqual(inside.map(({ offset, rev }) => `${rev} at ${offset}`))
    const dropped = inside.filter((of) => newest.get(of.key) !== of && drops(of))
    for (const of of dropped) revs[offsets.indexOf(of.offset)]! *= -1
    this.#isThinned ||= dropped.length > 0
    return new Set(dropped)
  }
}

const noRest = async (): Promise<void> => {}
const everything = { all: true, last: 0, hourly: 0, daily: 0 }
const keepsAll: KeepRules = { keep: everything, largeBytes: 1 << 20, largeKeep: everything }
