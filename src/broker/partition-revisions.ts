// The revisions of one partition, as long as its log is open, and the small file in which counts outlive records.

import { Corruption, StorageError } from '../../protocol/errors.ts'
import type { Inherited } from '../log/inherited.ts'
import type { Log } from '../log/log.ts'
import type { LogConfig } from '../log/log-config.ts'
import { type BroughtAt, expiredSegments } from '../log/retention.ts'
import type { Segment } from '../log/segment.ts'
import { atEase, shortRest, type Walk } from '../log/walk.ts'
import { CarriedCounts, countsName } from '../revision/carried-counts.ts'
import { carryCounts, carryDropped, carryHalf, carryingCounts, takesNumbers, thinnedHalf } from '../revision/carry.ts'
import { hashKey, type KeyHash } from '../revision/key-hash.ts'
import type { PackNumbers } from '../revision/pack-numbers.ts'
import { Revisions } from '../revision/revisions.ts'
import type { Store } from '../storage/file.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

type RevisedConfig = Pick<LogConfig, 'needsKeys' | 'deletes' | 'retentionMs' | 'retentionBytes'>

/**
 * Below which offset a log that begins as a part of another one lets go without a word, when it is opened: what a file leaves below
 * the log start, and its own first file too where nothing of it is above. After a fast-forward that may be more than one file.
 */
function letGoBelow({
  offset,
  ownFrom,
  logStartOffset,
  files,
}: Pick<Inherited, 'offset' | 'ownFrom' | 'logStartOffset' | 'files'>): number {
  if (offset <= logStartOffset) return offset
  const bases = [...files.map(([base]) => base), ownFrom]
  return bases.filter((base) => base <= logStartOffset).at(-1) ?? 0
}

/** `of`, `filesVersion`: the counts and the files that it was made of. */
type Ahead = {
  readonly counts: CarriedCounts
  readonly upTo: number
  readonly of: number
  readonly filesVersion: number
}

/** Somebody changes something all the time: then it is counted at once. */
const triesMax = 3

export class PartitionRevisions {
  readonly #store: Store
  readonly #folder: string
  readonly #stableOffset: () => number
  readonly #config: RevisedConfig
  #log: Log | undefined
  #counts: CarriedCounts | undefined
  #current: Revisions | undefined
  /** Takes the place of an outdated one once it knows as much. */
  #next: Revisions | undefined
  /** What was counted beside everything else, and when. */
  #ahead: Ahead | undefined
  /** Numbers are to be kept since a time when no log was attached. */
  #isToBegin = false
  /** A segment was closed: it may be packed. */
  onRoll: () => void = () => {}
  /** For tests. */
  hash: KeyHash = hashKey
  sliceBytes: number | undefined

  constructor(store: Store, folder: string, stableOffset: () => number, config: RevisedConfig) {
    this.#store = store
    this.#folder = folder
    this.#stableOffset = stableOffset
    this.#config = config
  }

  /** Of a revision topic numbers outlive what retention takes, and the process. */
  get #keepsNumbers(): boolean {
    return this.#config.needsKeys === true
  }

  /** A log was opened: before it lets files go, counts are noted. */
  attach(log: Log): void {
    this.#log = log
    this.#forget()
    if (this.#isToBegin) this.#begin(log)
    log.hooks.beforeRemoval = (upTo) => this.#carry(log, upTo)
    log.hooks.onRoll = () => this.onRoll()
  }

  #forget(): void {
    this.#counts = undefined
    this.#current = undefined
    this.#next = undefined
    this.#ahead = undefined
  }

  /** Numbers are kept from now on. What was told of them before was no promise: nothing of it would outlive the process. */
  begin(): void {
    this.#forget()
    if (this.#log === undefined || this.#log.isReleased) this.#isToBegin = true
    else this.#begin(this.#log)
  }

  /** They count from the log start, which may lie in the midst of a file; where some were kept once, they go on from those. */
  #begin({ logStartOffset, segments }: Log): void {
    this.#isToBegin = false
    const isWithinFile = logStartOffset > (segments[0]?.baseOffset ?? logStartOffset)
    if (!isWithinFile || segments.some(({ isPacked }) => isPacked)) return
    this.#noting(() => {
      const counts = this.#loadCounts()
      if (!counts.isEmpty) return
      counts.upTo = logStartOffset
      this.#save(counts)
    })
  }

  #save(counts: CarriedCounts): void {
    this.#store.save(`${this.#folder}/${countsName}`, counts.encode(), true)
  }

  /** A disk that is full gets its room all the same: what is noted then is told in this life only. */
  #noting(work: () => void): void {
    try {
      work()
    } catch (cause) {
      if (!(cause instanceof StorageError || cause instanceof Corruption)) throw cause
      console.error(`Counts of revisions in ${this.#folder} are not noted: ${cause.message}`)
    }
  }

  /** Those of the log that was attached. Throws Corruption where the counts are not what was written. */
  of(log: Log): Revisions {
    this.#current ??= this.#make(log)
    if (this.#current.isOutdated && this.#next === undefined) this.#renew(log)
    return this.#current
  }

  #make(log: Log): Revisions {
    return new Revisions({ log, stableOffset: this.#stableOffset, counts: this.#loadCounts(), hash: this.hash })
  }

  #renew(log: Log): void {
    const next = this.#make(log)
    this.#next = next
    const swap = () => {
      if (this.#next === next) [this.#current, this.#next] = [next, undefined]
    }
    const known = next.ready()
    if (known === undefined) swap()
    else known.then(swap, () => {})
  }

  #loadCounts(): CarriedCounts {
    if (this.#counts !== undefined) return this.#counts
    const path = `${this.#folder}/${countsName}`
    const saved = this.#store.load(path)
    this.#counts = saved === undefined ? new CarriedCounts(this.hash) : CarriedCounts.decode(saved, this.hash, path)
    return this.#counts
  }

  /**
   * Notes the numbers of revisions that a pack of these segments leaves out, before it takes their place. Resolves when they
   * are on stable storage. Rejects with StorageError.
   */
  async carryDropped(revisions: Revisions, segments: readonly Segment[], numbers: PackNumbers): Promise<void> {
    if (!takesNumbers(revisions, segments, numbers.leftOut)) return
    const counts = this.#loadCounts()
    for (const _ of carryDropped(revisions, counts, { segments, numbers })) await turn()
    if (revisions.log === this.#log) this.#save(counts)
  }

  /** The log in another folder shares what is below an offset here, and its numbers go on from there. Throws StorageError. */
  carryTo(folder: string, inherited: Pick<Inherited, 'offset' | 'ownFrom' | 'logStartOffset' | 'files'>): void {
    if (!this.#keepsNumbers) return
    const counts = this.#loadCounts()
    const log = this.#log!
    const { offset, ownFrom } = inherited
    const goneBelow = letGoBelow(inherited)
    const isGone = goneBelow > Math.max(counts.upTo, log.segments[0]?.baseOffset ?? 0)
    const half = thinnedHalf(log, ownFrom, offset)
    if (half === undefined && !isGone && counts.isEmpty) return
    const path = `${folder}/${countsName}`
    let bytes = counts.encode(offset)
    if (half !== undefined || isGone) {
      // What is counted for it is not gone here: an index of this log that believed it would leave that out of packs.
      const own = CarriedCounts.decode(bytes, this.hash, path)
      if (isGone) carryCounts(log, own, goneBelow, this.hash)
      if (half !== undefined) carryHalf(half, own, this.hash)
      bytes = own.encode()
    }
    this.#store.save(path, bytes, true)
  }

  /**
   * Counts what retention is about to take, a slice at a time beside everything else: what is not packed is read for it. Undefined
   * where there is nothing to wait for. Rejects with StorageError, Corruption.
   */
  countAhead(now: number, broughtAt: BroughtAt): Promise<void> | undefined {
    const log = this.#log
    if (log === undefined || !this.#isCounted) return undefined
    const { segments, logEndOffset } = log
    const doomed = expiredSegments(segments, this.#config, now, broughtAt)
    if (doomed.length === 0) return undefined
    const next = segments[doomed.length]
    const upTo = next === undefined || next.isEmpty ? logEndOffset : next.baseOffset
    return this.#countTo(log, upTo)
  }

  /** The same of what goes when the log starts at an offset; undefined, too, where it is known by now. */
  countBelow(offset: number): Promise<void> | undefined {
    const log = this.#log
    if (log === undefined || !this.#isCounted) return undefined
    const { segments, logEndOffset } = log
    const stays = segments.find(({ nextOffset }) => nextOffset > offset)
    return stays === segments[0] ? undefined : this.#countTo(log, stays?.baseOffset ?? logEndOffset)
  }

  #countTo(log: Log, upTo: number): Promise<void> | undefined {
    const counts = this.#loadCounts()
    if (upTo <= counts.upTo || this.#isAhead(log, counts, upTo)) return undefined
    const walk = this.#countingAhead(log, upTo)
    return walk.next().done ? undefined : atEase(walk, shortRest, () => log.isReleased)
  }

  *#countingAhead(log: Log, upTo: number): Walk {
    const counts = this.#loadCounts()
    for (let tries = 0; tries < triesMax && !log.isReleased; tries++) {
      const { changes: of } = counts
      const { filesVersion } = log
      const isFresh = () =>
        !log.isReleased && this.#counts === counts && counts.changes === of && log.filesVersion === filesVersion
      const copying = counts.copying()
      let copy = copying.next()
      for (; !copy.done && isFresh(); copy = copying.next()) yield
      if (!copy.done) continue
      const counting = carryingCounts(log, copy.value, upTo, this.hash, this.sliceBytes)
      let isOver = false
      while (isFresh() && !isOver) {
        isOver = counting.next().done === true
        if (!isOver) yield
      }
      if (!isFresh()) continue
      this.#ahead = { counts: copy.value, upTo, of, filesVersion }
      return
    }
  }

  /** Whether what was counted ahead is what has to be known now. */
  #isAhead({ filesVersion }: Log, { changes }: CarriedCounts, upTo: number): boolean {
    const ahead = this.#ahead
    return ahead?.upTo === upTo && ahead.of === changes && ahead.filesVersion === filesVersion
  }

  /** Whether it was; it is not ahead any more. */
  #adopt(log: Log, counts: CarriedCounts, upTo: number): boolean {
    const isAhead = this.#isAhead(log, counts, upTo)
    if (isAhead) counts.adopt(this.#ahead!.counts)
    this.#ahead = undefined
    return isAhead
  }

  get #isCounted(): boolean {
    return this.#keepsNumbers || this.#current !== undefined
  }

  /** Counts what is about to go. */
  #carry(log: Log, upTo: number): void {
    if (log !== this.#log || !this.#isCounted) return
    this.#noting(() => {
      const counts = this.#loadCounts()
      if (!this.#adopt(log, counts, upTo)) carryCounts(log, counts, upTo, this.hash)
      if (this.#keepsNumbers) this.#save(counts)
    })
  }
}
