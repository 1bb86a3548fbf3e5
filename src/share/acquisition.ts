// Which records a fetch gets: walks the batches that were read from the log and takes what of them is free.

import type { InFlight, Range } from './in-flight.ts'

/** A batch of the log, or the rest of one. */
export type LogBatch = {
  readonly first: number
  readonly last: number
  /** Holds nothing for consumers: a control batch, or one of a transaction that was given up. */
  readonly isHidden: boolean
}

export type Acquisition = {
  readonly memberId: string
  readonly recordsMax: number
  /** Acquired records are shown in batches of about so many. */
  readonly batchSize: number
  /** KIP-1206: not one more than `recordsMax`; else whole batches, and the last one may exceed it. */
  readonly isStrict: boolean
}

export type Acquired = { firstOffset: number; lastOffset: number; deliveryCount: number }

type Limits = { readonly locksMax: number; readonly deliveriesMax: number; readonly lockedUntil: number }

export function acquire(
  inFlight: InFlight,
  batches: Iterable<LogBatch>,
  wish: Acquisition,
  limits: Limits,
): Acquired[] {
  return new Walk(inFlight, wish, limits).over(batches)
}

/**
 * How many of a batch's `count` records that went round `deliveryCount` times are handed out at once (Kafka 4.4: half of
 * them from the middle of their life on, then fewer, the last time one): so the record that makes members fail is found.
 */
export function deliveriesAtOnce(deliveryCount: number, count: number, deliveriesMax: number): number {
  const suspect = Math.max(2, Math.ceil(deliveriesMax / 2))
  if (deliveryCount < suspect) return count
  if (deliveryCount >= deliveriesMax - 1) return 1
  return Math.max(1, count >> (deliveryCount - suspect + 1))
}

class Walk {
  readonly #inFlight: InFlight
  readonly #wish: Acquisition
  readonly #limits: Limits
  readonly #acquired: Acquired[] = []
  #count = 0
  /** Nothing more: records under suspicion go alone. */
  #ended = false

  constructor(inFlight: InFlight, wish: Acquisition, limits: Limits) {
    this.#inFlight = inFlight
    this.#wish = wish
    this.#limits = limits
  }

  over(batches: Iterable<LogBatch>): Acquired[] {
    const inFlight = this.#inFlight
    let cursor = inFlight.firstAvailable ?? inFlight.frontier
    for (const { first, last, isHidden } of batches) {
      if (this.#ended || this.#count >= this.#wish.recordsMax) break
      if (last < cursor) continue
      // Compaction left nothing there.
      this.#archive(cursor, first - 1)
      const from = Math.max(first, cursor)
      if (isHidden) this.#archive(from, last)
      else {
        this.#takeKnown(from, last, last - first + 1)
        this.#takeNew(last)
      }
      cursor = last + 1
    }
    return this.#acquired
  }

  #archive(first: number, last: number): void {
    for (const range of this.#inFlight.cut(first, last)) if (isFree(range)) range.state = 'archived'
    if (last >= this.#inFlight.frontier) this.#inFlight.extend(last, { state: 'archived' })
  }

  #takeKnown(first: number, last: number, batchCount: number): void {
    for (const range of this.#inFlight.cut(first, last).filter(isFree)) {
      if (this.#ended || this.#count >= this.#wish.recordsMax) return
      const size = range.last - range.first + 1
      const wanted = this.#wish.isStrict ? Math.min(size, this.#wish.recordsMax - this.#count) : size
      const allowed = deliveriesAtOnce(range.deliveryCount, batchCount, this.#limits.deliveriesMax)
      if (allowed < batchCount) {
        this.#ended = true
        if (this.#count > 0) return
      }
      const taken = this.#inFlight.cut(range.first, range.first + Math.min(wanted, allowed) - 1)
      for (const piece of taken) this.#take(piece)
    }
  }

  #takeNew(last: number): void {
    const { frontier, start } = this.#inFlight
    const room = this.#limits.locksMax - (frontier - start)
    const left = this.#wish.recordsMax - this.#count
    if (last < frontier || this.#ended || left <= 0) return
    if (room <= 0) {
      this.#ended = true
      return
    }
    const to = this.#wish.isStrict ? Math.min(last, frontier + left - 1) : last
    const { memberId: member } = this.#wish
    const { lockedUntil } = this.#limits
    this.#inFlight.extend(to, { state: 'acquired', deliveryCount: 1, member, lockedUntil })
    // The rest of the batch has been looked at: who speaks of it too early is told that it has not acquired it.
    if (to < last) this.#inFlight.extend(last, { state: 'available' })
    this.#note(frontier, to, 1)
  }

  #take(range: Range): void {
    range.state = 'acquired'
    range.deliveryCount++
    range.member = this.#wish.memberId
    range.lockedUntil = this.#limits.lockedUntil
    this.#note(range.first, range.last, range.deliveryCount)
  }

  #note(firstOffset: number, lastOffset: number, deliveryCount: number): void {
    this.#count += lastOffset - firstOffset + 1
    const before = this.#acquired.at(-1)
    const joins =
      before?.lastOffset === firstOffset - 1 &&
      before.deliveryCount === deliveryCount &&
      before.lastOffset - before.firstOffset + 1 < this.#wish.batchSize
    if (joins) before.lastOffset = lastOffset
    else this.#acquired.push({ firstOffset, lastOffset, deliveryCount })
  }
}

const isFree = ({ state, changing }: Range): boolean => state === 'available' && changing === null
