// The last values of keys, for who reads in the order of the log: what the next value of a key is made of. They lie in slabs, so that a
// hundred thousand small values are a few things to keep and none of them leaves anything to collect:
//
//   int32 entry whose value it is | int32 the key's next one (-1: none) | int32 bytes of room | 4 unused | the value
//
// A value is named by its slab and its place there, in units of 64 bytes. A key has the first of its values in a table. Where a slab is
// gone, so is what comes behind it.

import type { CacheRoom } from './pack-cache.ts'
import { Slabs } from './slabs.ts'
import { copyTo, noWords, type Words } from './value-memory.ts'

/** Values of each key at most: the last one and the last anchor, of two readers who are not at the same place. */
const perKeyMax = 4
const headBytes = 16
const nextAt = 4
const roomAt = 8
const unitBits = 6
const unitBytes = 1 << unitBits
/** A place in a slab of 2 MiB. */
const placeBits = 15
const placeMask = (1 << placeBits) - 1
const slabsMax = 1 << 16
/** Given-up places of a size that are remembered. */
const sparesMax = 1024
/** Of a longer value the processor fetches the rest while it is read. */
const touchedMax = 512
const none = -1

/** Values grow: memory for one serves a later one that is a little longer. */
const roomFor = (byteCount: number): number =>
  ((headBytes + byteCount + (byteCount >> 4) + unitBytes - 1) & ~(unitBytes - 1)) - headBytes

export class KeptValues {
  readonly #room: CacheRoom
  readonly #keyCount: number
  readonly #most: number
  #slabs: Slabs
  /** Of each key; made when something is kept. */
  #firsts = new Int32Array(0)
  /** Places given up, by the room they have. */
  readonly #spares = new Map<number, number[]>()
  /** In front of what was looked at last; none: that is the key's first. */
  #before = none
  /** How many were looked at. */
  #seen = 0
  /** The last of them, where none was the wanted one. */
  #last = none
  /** Where the value found last lies. */
  words = noWords
  at = 0

  /** `most`: bytes that a value of each key takes. */
  constructor(room: CacheRoom, keyCount: number, most: number) {
    this.#room = room
    this.#keyCount = keyCount
    this.#most = most + keyCount * unitBytes
    this.#slabs = this.#newSlabs()
  }

  #newSlabs(): Slabs {
    return new Slabs(this.#room, 'walked', this.#most, () => this.#lose())
  }

  /** A slab is gone. */
  #lose(): void {
    this.words = noWords
    if (this.#slabs.count > 0) return
    // Of thousands of packs few are read at a time.
    this.#firsts = new Int32Array(0)
    this.#spares.clear()
  }

  /** Whether the value of an entry of this key is kept: then it lies at `at` in `words` until something is kept or dropped. */
  find(key: number, entry: number): boolean {
    return this.#search(key, entry) !== none
  }

  /** The name of a key's value, which `words` and `at` show. */
  #search(key: number, entry: number): number {
    let before = none
    let name = key < this.#firsts.length ? this.#firsts[key]! : none
    this.#seen = 0
    while (name !== none) {
      const slab = this.#slabs.get(name >>> placeBits)
      if (slab === undefined) break
      const head = (name & placeMask) << unitBits
      const { view } = slab.words
      this.words = slab.words
      this.at = head + headBytes
      this.#before = before
      this.#seen++
      if (view.getInt32(head, true) === entry) return name
      before = name
      name = view.getInt32(head + nextAt, true)
    }
    this.#last = before
    return none
  }

  /** Looks at the value that a key has first, if it has one: then the processor has it at hand. */
  touch(key: number): number {
    const name = key >= 0 && key < this.#firsts.length ? this.#firsts[key]! : none
    const slab = name === none ? undefined : this.#slabs.get(name >>> placeBits)
    if (slab === undefined) return 0
    const head = (name & placeMask) << unitBits
    const { bytes } = slab.words
    let sum = 0
    for (let at = head, end = Math.min(at + touchedMax, bytes.length); at < end; at += unitBytes) sum += bytes[at]!
    return sum
  }

  /** Nobody needs the value of this entry any more. */
  drop(key: number, entry: number): void {
    const name = this.#search(key, entry)
    if (name !== none) this.#giveUp(key, name)
  }

  /** What `#search` found last. */
  #giveUp(key: number, name: number): void {
    const { view } = this.words
    const head = this.at - headBytes
    const next = view.getInt32(head + nextAt, true)
    if (this.#before === none) this.#firsts[key] = next
    else {
      const before = this.#slabs.get(this.#before >>> placeBits)
      before?.words.view.setInt32(((this.#before & placeMask) << unitBits) + nextAt, next, true)
    }
    const room = view.getInt32(head + roomAt, true)
    const spares = this.#spares.get(room)
    if (spares === undefined) this.#spares.set(room, [name])
    else if (spares.length < sparesMax) spares.push(name)
  }

  /** Keeps a copy of a value, in the place of `spare` where that is kept. */
  keep(key: number, entry: number, spare: number, source: Words, at: number, size: number): void {
    const kept = this.#search(key, spare)
    if (kept !== none && this.words.view.getInt32(this.at - headBytes + roomAt, true) >= size) {
      this.words.view.setInt32(this.at - headBytes, entry, true)
      copyTo(this.words, this.at, source, at, at + size)
      return
    }
    if (kept !== none) this.#giveUp(key, kept)
    // Third readers have to make do.
    else if (this.#seen === perKeyMax) this.#giveUp(key, this.#last)
    this.#add(key, entry, source, at, size)
  }

  #add(key: number, entry: number, source: Words, at: number, size: number): void {
    if (this.#firsts.length === 0) this.#firsts = new Int32Array(this.#keyCount).fill(none)
    const room = roomFor(size)
    const name = this.#spare(room) ?? this.#place(headBytes + room)
    const slab = this.#slabs.get(name >>> placeBits)
    // Too large to be kept.
    if (slab === undefined) return
    const head = (name & placeMask) << unitBits
    const { view } = slab.words
    view.setInt32(head, entry, true)
    view.setInt32(head + nextAt, this.#firsts[key]!, true)
    view.setInt32(head + roomAt, room, true)
    copyTo(slab.words, head + headBytes, source, at, at + size)
    this.#firsts[key] = name
  }

  #spare(room: number): number | undefined {
    const spares = this.#spares.get(room)
    for (let name = spares?.pop(); name !== undefined; name = spares?.pop()) {
      if (this.#slabs.get(name >>> placeBits) !== undefined) return name
    }
    return undefined
  }

  #place(byteCount: number): number {
    const slab = this.#slabs.withRoom(byteCount)
    if (slab.number === slabsMax) return this.#placeAnew(byteCount)
    const place = slab.used >> unitBits
    slab.used += byteCount
    return (slab.number << placeBits) | place
  }

  /** All numbers of slabs are used up. */
  #placeAnew(byteCount: number): number {
    this.#firsts.fill(none)
    this.#spares.clear()
    this.#slabs = this.#newSlabs()
    return this.#place(byteCount)
  }
}
