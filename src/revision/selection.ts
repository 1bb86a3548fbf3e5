// Which records a view shows, as offsets. What is new is looked at a slice at a time; what was found stays found.

import { DamagedRecords } from '../../protocol/errors.ts'
import { canonicalScalar, parseJson, parsePointer, scalarAt, scalarHash } from './json-scalars.ts'
import { offsetOf, type Place } from './known-parts.ts'
import { partIndexOf } from './part.ts'
import type { Revisions } from './revisions.ts'
import type { ViewConfig, ViewWhere } from './view-config.ts'

export interface Selection {
  /** Goes on for about `bytes` bytes of what the index knows; whether there is more. Throws DamagedRecords. */
  advance(bytes: number): boolean
  /** The first offset that is shown, from one on. */
  next(from: number): number | undefined
  /** The last offset that is shown; -1 where none is. */
  readonly last: number
}

const offsetOrNone = (place: Place | undefined): number => (place === undefined ? -1 : offsetOf(place))

/** Every revision, or the newest of each key. */
export class LiveSelection implements Selection {
  readonly #revisions: Revisions
  readonly #look: (from: number) => Place | undefined

  constructor(revisions: Revisions, newestOnly: boolean) {
    this.#revisions = revisions
    this.#look = newestOnly ? (from) => revisions.known.newestFrom(from) : (from) => revisions.known.from(from)
  }

  advance(): boolean {
    return false
  }

  next(from: number): number | undefined {
    const found = this.#look(from)
    return found && offsetOf(found)
  }

  /** Of all records the last is the newest of its key too. */
  get last(): number {
    return offsetOrNone(this.#revisions.known.last())
  }
}

/** Offsets that rise, and are looked up by halving. */
export class RisingOffsets {
  #offsets = new Float64Array(16)
  #count = 0

  get last(): number {
    return this.#count === 0 ? -1 : this.#offsets[this.#count - 1]!
  }

  push(offset: number): void {
    if (this.#count === this.#offsets.length) {
      const more = new Float64Array(2 * this.#count)
      more.set(this.#offsets)
      this.#offsets = more
    }
    this.#offsets[this.#count++] = offset
  }

  next(from: number): number | undefined {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#offsets[middle]! < from) low = middle + 1
      else high = middle
    }
    return low === this.#count ? undefined : this.#offsets[low]
  }
}

/**
 * The newest revision of each key below an offset. Until all of that is decided it shows, like the state of now, what is the
 * newest so far.
 */
export class StateSelection implements Selection {
  readonly #revisions: Revisions
  readonly #below: number
  readonly #live: LiveSelection
  #found = new RisingOffsets()
  #filesVersion = -1
  #work: Generator<void, void> | undefined
  #isDone = false
  #last = -1

  constructor(revisions: Revisions, below: number) {
    this.#revisions = revisions
    this.#below = below
    this.#live = new LiveSelection(revisions, true)
  }

  get #isLive(): boolean {
    return this.#revisions.indexedOffset < this.#below
  }

  advance(bytes: number): boolean {
    if (this.#isDone) return false
    if (this.#isLive) {
      this.#last = this.#live.last
      return false
    }
    const { filesVersion } = this.#revisions.log
    if (this.#filesVersion !== filesVersion) {
      // What it goes through is not there any more.
      this.#filesVersion = filesVersion
      this.#found = new RisingOffsets()
      this.#work = this.#collect()
    }
    for (let left = bytes; left > 0; left -= keysAtOnce * keyCost) {
      if (this.#work!.next().done !== true) continue
      this.#isDone = true
      this.#last = this.#found.last
      return false
    }
    return true
  }

  *#collect(): Generator<void, void> {
    const { known } = this.#revisions
    let met = 0
    for (const part of known.all) {
      if (part.baseOffset >= this.#below) return
      const offsets: number[] = []
      for (const entry of part.newestBelow(this.#below)) {
        const isNewest = known.newest(part.hashOf(entry), part.keyOf(entry), this.#below)?.part === part
        if (isNewest) offsets.push(part.offsetOf(entry))
        if (++met % keysAtOnce === 0) yield
      }
      for (const offset of Float64Array.from(offsets).sort()) this.#found.push(offset)
    }
  }

  next(from: number): number | undefined {
    if (this.#isDone) return this.#found.next(from)
    return this.#isLive ? this.#live.next(from) : undefined
  }

  get last(): number {
    return this.#last
  }
}

const keysAtOnce = 256
/** What a look-up costs, told in bytes of a scan. */
const keyCost = 128

/** The revisions of one key. */
export class KeySelection implements Selection {
  readonly #revisions: Revisions
  readonly #key: Buffer
  readonly #found = new RisingOffsets()
  #seenOffset = -1

  constructor(revisions: Revisions, key: Buffer) {
    this.#revisions = revisions
    this.#key = key
  }

  advance(): boolean {
    const { indexedOffset } = this.#revisions
    if (this.#seenOffset === indexedOffset) return false
    this.#seenOffset = indexedOffset
    const fresh: number[] = []
    const { last } = this.#found
    let place = this.#revisions.find(this.#key)
    for (; place !== undefined && offsetOf(place) > last; place = this.#revisions.before(place)) {
      fresh.push(offsetOf(place))
    }
    for (const offset of fresh.reverse()) this.#found.push(offset)
    return false
  }

  next(from: number): number | undefined {
    return this.#found.next(from)
  }

  get last(): number {
    return this.#found.last
  }
}

/** What another selection shows, and of that the documents that have a scalar at a place. Values that are no JSON are skipped. */
export class WhereSelection implements Selection {
  readonly #revisions: Revisions
  readonly #inner: Selection
  readonly #pointer: string
  readonly #names: readonly string[]
  readonly #scalar: string
  readonly #hash: number
  /** Packs know it of all keys at once. */
  readonly #isOfAll: boolean
  readonly #found = new RisingOffsets()
  #seenOffset = 0
  #unparsed = 0

  constructor(revisions: Revisions, inner: Selection, { pointer, scalar }: ViewWhere, isOfAll: boolean) {
    this.#revisions = revisions
    this.#inner = inner
    this.#pointer = pointer
    this.#names = parsePointer(pointer) ?? []
    this.#scalar = canonicalScalar(scalar)
    this.#hash = scalarHash(scalar)
    this.#isOfAll = isOfAll
  }

  /** Values that were looked at and are no JSON. */
  get unparsed(): number {
    return this.#unparsed
  }

  advance(bytes: number): boolean {
    if (this.#inner.advance(bytes)) return true
    const { known, indexedOffset } = this.#revisions
    for (let left = bytes; this.#seenOffset < indexedOffset; ) {
      if (left <= 0) return true
      const part = known.all[partIndexOf(known.all, this.#seenOffset)]
      const offsets =
        this.#isOfAll && part?.baseOffset === this.#seenOffset && part.nextOffset <= indexedOffset
          ? part.withScalar(this.#pointer, this.#hash)
          : undefined
      if (offsets === undefined) left -= this.#lookAtOne(indexedOffset)
      else {
        for (const offset of offsets) if (this.#holds(offset)) this.#found.push(offset)
        this.#seenOffset = part!.nextOffset
        left -= keyCost * offsets.length
      }
    }
    return false
  }

  /** Answers what it cost. */
  #lookAtOne(indexedOffset: number): number {
    const offset = this.#inner.next(this.#seenOffset)
    if (offset === undefined || offset >= indexedOffset) {
      this.#seenOffset = indexedOffset
      return 0
    }
    if (this.#holds(offset)) this.#found.push(offset)
    this.#seenOffset = offset + 1
    return keyCost + this.#lookedAt
  }

  /** Bytes of the value that was looked at last. */
  #lookedAt = 0

  #holds(offset: number): boolean {
    const value = this.#valueAt(offset)
    this.#lookedAt = value?.length ?? 0
    if (value === null) return false
    const json = parseJson(value)
    if (json === undefined) {
      this.#unparsed++
      return false
    }
    const found = scalarAt(json, this.#names)
    return found !== undefined && canonicalScalar(found) === this.#scalar
  }

  /** What is damaged cannot be judged; it is no reason to show nothing else. */
  #valueAt(offset: number): Buffer | null {
    try {
      return this.#revisions.read(offset)?.value ?? null
    } catch (cause) {
      if (!(cause instanceof DamagedRecords)) throw cause
      return null
    }
  }

  next(from: number): number | undefined {
    return this.#found.next(from)
  }

  get last(): number {
    return this.#found.last
  }
}

/** What a view shows of one partition. */
export function selectionOf(revisions: Revisions, view: ViewConfig, partition: number): Selection {
  const { kind, key, where } = view
  if (kind === 'state') {
    const below = view.below(partition)
    return below === Infinity ? new LiveSelection(revisions, true) : new StateSelection(revisions, below)
  }
  const all = key === undefined ? new LiveSelection(revisions, false) : new KeySelection(revisions, key)
  return where === undefined ? all : new WhereSelection(revisions, all, where, key === undefined)
}
