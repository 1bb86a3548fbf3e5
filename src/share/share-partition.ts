// A partition as one share group sees it (KIP-932): who has which records, how often each was handed out, and what is
// done. What a member is told is done is in the log by then; that it has acquired records is kept in memory alone.

import { type ErrorName, Refusal } from '../../protocol/errors.ts'
import { refusalOf } from '../group/refusal.ts'
import type { Clock, Timer } from '../storage/clock.ts'
import { type AcknowledgeBatch, claim, givenBack } from './acknowledgement.ts'
import { type Acquired, type Acquisition, acquire, type LogBatch } from './acquisition.ts'
import type { DeadLetter } from './dead-letters.ts'
import { type Change, InFlight, type Range } from './in-flight.ts'
import { type Replayed, type ShareKey, type StateBatch, stateCode } from './records.ts'
import type { ShareSettings } from './settings.ts'

/** What a share partition asks of the place it is remembered in. */
export type Keeper = {
  readonly clock: Clock
  settings(groupId: string): ShareSettings
  /** Appends an update, then applies. Rejects, nothing applied, when the log refuses. */
  keep(share: SharePartition, update: ShareUpdate, apply: () => void): Promise<void>
  /** Copies what is given up to where the group wants it, if it does. Never rejects. */
  bury(of: ShareKey, letters: readonly DeadLetter[]): Promise<void> | undefined
}

export type ShareUpdate = {
  readonly startOffset: number
  /** -1: nothing was acknowledged yet. */
  readonly doneCount: number
  readonly batches: readonly StateBatch[]
}

export class SharePartition {
  readonly of: ShareKey
  readonly #keeper: Keeper
  /** What the log says of it; `inFlight` is undefined until the first fetch has found where to begin. */
  readonly #known: Replayed
  readonly #waiting = new Set<() => void>()
  #timer: Timer | undefined
  /** When the timer fires. */
  #firesAt = 0
  /** Of the locks that were given, the longest, ms. */
  #longestMs = 0
  #removed = false
  #beginning: Promise<void> | undefined

  constructor(known: Replayed, keeper: Keeper) {
    this.of = known.of
    this.#known = known
    this.#keeper = keeper
    known.inFlight?.tidy()
  }

  get known(): Readonly<Replayed> {
    return this.#known
  }

  get inFlight(): InFlight | undefined {
    return this.#known.inFlight
  }

  /** As the log has it, which is one step behind: what tools are shown. -1: nothing was acknowledged yet. */
  get startOffset(): number {
    return this.#known.doneCount === -1 ? -1 : this.#known.startOffset
  }

  /** How many records at or beyond `startOffset` are done. */
  get doneCount(): number {
    return Math.max(0, this.#known.doneCount)
  }

  /** Whether anybody has records of it. */
  get isHeld(): boolean {
    return this.inFlight?.ranges.some(({ state }) => state === 'acquired') ?? false
  }

  // --- begin and end

  /** Says where the group begins to read; from then on a restart begins there too. Whoever comes first says it. */
  begin(startOffset: number): Promise<void> {
    this.#beginning ??= this.#begin(startOffset).finally(() => {
      this.#beginning = undefined
    })
    return this.#beginning
  }

  #begin(startOffset: number): Promise<void> {
    return this.#keeper.keep(this, { startOffset, doneCount: -1, batches: [] }, () => {
      this.#known.startOffset = startOffset
      this.#known.inFlight = new InFlight(startOffset)
      this.#wake()
    })
  }

  /** The partition, the group or its offsets are gone: nothing that is on its way counts any more. */
  remove(): void {
    this.#removed = true
    this.#timer?.cancel()
    this.#wake()
  }

  get isRemoved(): boolean {
    return this.#removed
  }

  /** How many updates lie behind the last snapshot, this one included. */
  noteUpdate(): number {
    return ++this.#known.updateCount
  }

  /** The next snapshot is on its way. */
  noteSnapshot(): void {
    this.#known.updateCount = 0
    this.#known.snapshotEpoch++
  }

  // --- handing out

  /** The log reaches from `logStart` to `logEnd`; what lies outside is nobody's any more. */
  bound(logStart: number, logEnd: number): void {
    const { inFlight } = this
    if (inFlight === undefined) return
    if (logStart > inFlight.start) {
      inFlight.raiseStart(logStart)
      inFlight.tidy()
    }
    inFlight.truncate(Math.max(logStart, logEnd))
  }

  /** Where to read for the next acquisition; undefined while as much is in flight as may be. */
  get nextOffset(): number | undefined {
    const { inFlight } = this
    if (inFlight === undefined) return undefined
    const { start, frontier } = inFlight
    return inFlight.firstAvailable ?? (frontier - start < this.#settings.locksMax ? frontier : undefined)
  }

  get #settings(): ShareSettings {
    return this.#keeper.settings(this.of.groupId)
  }

  /** Hands out what of these batches is free. */
  acquire(batches: Iterable<LogBatch>, wish: Acquisition): Acquired[] {
    const settings = this.#settings
    const lockedUntil = this.#lockedUntil(settings)
    const acquired = acquire(this.inFlight!, batches, wish, { ...settings, lockedUntil })
    this.inFlight!.tidy()
    if (acquired.length > 0) this.#expireAt(lockedUntil)
    return acquired
  }

  // --- taking back

  /** All batches of a request, or none of them. */
  async acknowledge(memberId: string, batches: readonly AcknowledgeBatch[]): Promise<Refusal | undefined> {
    if (this.inFlight === undefined) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
    const settings = this.#settings
    const lockedUntil = this.#lockedUntil(settings)
    const claimed = claim(this.inFlight, memberId, batches, { ...settings, lockedUntil })
    if (claimed instanceof Refusal) return claimed
    const error = await this.#settle(claimed)
    return error === 'NONE' ? undefined : new Refusal(error)
  }

  /** A member is gone: what it had goes to others, or is given up where it went round too often. */
  release(memberId: string): Promise<ErrorName> {
    return this.#giveBack((range) => range.member === memberId)
  }

  #giveBack(which: (range: Range) => boolean): Promise<ErrorName> {
    const { inFlight } = this
    if (inFlight === undefined || this.#removed) return Promise.resolve('NONE')
    const { deliveriesMax } = this.#settings
    const claimed: Change[] = []
    for (const range of inFlight.ranges) {
      if (range.state !== 'acquired' || range.changing !== null || !which(range)) continue
      const change = givenBack(range.deliveryCount, deliveriesMax)
      range.changing = change
      claimed.push(change)
    }
    return this.#settle(claimed)
  }

  /** Writes what is claimed, then changes it. A log that refuses leaves everything as it was. */
  async #settle(changes: readonly Change[]): Promise<ErrorName> {
    const inFlight = this.inFlight!
    const batches = stateBatches(inFlight, changes)
    if (batches.length === 0) {
      this.#apply(changes)
      return 'NONE'
    }
    const letters = lettersOf(inFlight, changes)
    if (letters.length > 0) await this.#keeper.bury(this.of, letters)
    const { start: startOffset } = inFlight
    const update = { startOffset, doneCount: inFlight.doneFrom(startOffset), batches }
    try {
      await this.#keeper.keep(this, update, () => {
        this.#known.startOffset = update.startOffset
        this.#known.doneCount = update.doneCount
        this.#apply(changes)
      })
      return this.#removed ? 'NOT_LEADER_OR_FOLLOWER' : 'NONE'
    } catch (error) {
      this.#withdraw(changes)
      return refusalOf(error)
    }
  }

  #apply(changes: readonly Change[]): void {
    const inFlight = this.inFlight!
    const applied = new Set(changes)
    let free = false
    for (const range of inFlight.ranges) {
      const { changing } = range
      if (changing === null || !applied.has(changing)) continue
      range.state = changing.state
      range.lockedUntil = changing.lockedUntil
      if (changing.state !== 'acquired') range.member = null
      range.changing = null
      free ||= changing.state !== 'acquired'
    }
    inFlight.tidy()
    this.#watch()
    if (free) this.#wake()
  }

  #withdraw(changes: readonly Change[]): void {
    const withdrawn = new Set(changes)
    for (const range of this.inFlight!.ranges) {
      if (range.changing !== null && withdrawn.has(range.changing)) range.changing = null
    }
    this.#expireAt(this.#keeper.clock.now() + retryMs)
  }

  // --- locks that run out

  #lockedUntil({ lockMs }: ShareSettings): number {
    this.#longestMs = Math.max(this.#longestMs, lockMs)
    return this.#keeper.clock.now() + lockMs
  }

  /** Sets the timer for the earliest lock that is held. */
  #watch(): void {
    let earliest = Number.POSITIVE_INFINITY
    for (const { state, lockedUntil, changing } of this.inFlight!.ranges) {
      if (state === 'acquired' && changing === null) earliest = Math.min(earliest, lockedUntil)
    }
    if (earliest !== Number.POSITIVE_INFINITY) this.#expireAt(earliest)
  }

  #expireAt(at: number): void {
    if (this.#removed || (this.#timer !== undefined && this.#firesAt <= at)) return
    this.#timer?.cancel()
    this.#firesAt = at
    const { clock } = this.#keeper
    this.#timer = clock.after(Math.max(0, at - clock.now()), () => {
      this.#timer = undefined
      void this.#expire()
    })
  }

  async #expire(): Promise<void> {
    const now = this.#keeper.clock.now()
    // A wall clock that was set back would hold locks for as long: none lasts longer than the longest that was given.
    const latest = now + this.#longestMs
    const outcome = await this.#giveBack(({ lockedUntil }) => lockedUntil <= now || lockedUntil > latest)
    // A log that refuses is asked again in a while.
    if (outcome === 'NONE') this.#watch()
  }

  // --- those who wait for records

  /** Calls `listener` when records may have become free; until the returned function is called. */
  onAvailable(listener: () => void): () => void {
    this.#waiting.add(listener)
    return () => this.#waiting.delete(listener)
  }

  #wake(): void {
    if (this.#waiting.size === 0) return
    for (const listener of [...this.#waiting]) listener()
  }
}

/** How soon a lock is looked at again whose end the log would not take. */
const retryMs = 1_000

/** What the log has to know of changes; nothing of those that only move a lock. */
function stateBatches(inFlight: InFlight, changes: readonly Change[]): StateBatch[] {
  const written = new Set(changes)
  const batches: StateBatch[] = []
  for (const { first, last, deliveryCount, changing } of inFlight.ranges) {
    if (changing === null || !written.has(changing) || changing.state === 'acquired') continue
    const before = batches.at(-1)
    const deliveryState = stateCode(changing.state)
    const follows =
      before?.lastOffset === first - 1 &&
      before.deliveryState === deliveryState &&
      before.deliveryCount === deliveryCount
    if (follows) before.lastOffset = last
    else batches.push({ firstOffset: first, lastOffset: last, deliveryState, deliveryCount })
  }
  return batches
}

function lettersOf(inFlight: InFlight, changes: readonly Change[]): DeadLetter[] {
  const buried = new Set(changes.filter(({ burial }) => burial !== undefined))
  if (buried.size === 0) return []
  return inFlight.ranges.flatMap(({ first, last, deliveryCount, changing }) =>
    changing !== null && buried.has(changing) ? [{ first, last, deliveryCount, burial: changing.burial! }] : [],
  )
}
