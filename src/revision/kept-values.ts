// The last values of keys, for who reads in the order of the log: what the next value of a key is made of. Keys have them in
// groups, so that a hundred thousand small values are a thousand things to keep and none of them leaves anything to collect.

import { type CacheRoom, kept } from './pack-cache.ts'
import { copyTo } from './value-memory.ts'

/** Values of each key: the last one and the last anchor, of two readers who are not at the same place. */
const ways = 4
const keysMax = 64
/** About so many bytes of values are in a group. */
const groupBytes = 32 * 1024
/** Of a group without its values. */
const overheadBytes = 400
const none = -1

/** Values grow: memory for one serves a later one that is a little longer. */
const roomFor = (byteCount: number): number => (byteCount + (byteCount >> 4) + 63) & ~63

class Group {
  /** Of each way: the entry whose value it has, where that lies, and how long it may be. */
  readonly entries: Int32Array
  readonly places: Int32Array
  readonly rooms: Int32Array
  bytes: Buffer = Buffer.alloc(0)
  #used = 0
  readonly #expected: number

  /** `expected`: bytes that one value of each key takes. */
  constructor(keys: number, expected: number) {
    this.#expected = expected
    this.entries = new Int32Array(keys * ways).fill(none)
    this.places = new Int32Array(keys * ways)
    this.rooms = new Int32Array(keys * ways)
  }

  get byteCount(): number {
    return overheadBytes + 3 * this.entries.byteLength + this.bytes.length
  }

  /** Gives a way room for so many bytes; true where the group grew for it. */
  grow(way: number, byteCount: number): boolean {
    const room = roomFor(byteCount)
    this.entries[way] = none
    this.rooms[way] = 0
    const isLarger = this.#used + room > this.bytes.length
    if (isLarger) this.#move(room)
    this.places[way] = this.#used
    this.rooms[way] = room
    this.#used += room
    return isLarger
  }

  /** To larger memory, without what has been given up. */
  #move(more: number): void {
    const { bytes, entries, places, rooms } = this
    let live = 0
    for (let way = 0; way < entries.length; way++) if (entries[way] !== none) live += rooms[way]!
    const larger = Buffer.allocUnsafeSlow(live + more + this.#spareFor(live + more))
    this.#used = 0
    for (let way = 0; way < entries.length; way++) {
      if (entries[way] === none) {
        rooms[way] = 0
        continue
      }
      copyTo(larger, this.#used, bytes, places[way]!, places[way]! + rooms[way]!)
      places[way] = this.#used
      this.#used += rooms[way]!
    }
    this.bytes = larger
  }

  /** Room for values to come. A single one is all there is to many a group of large ones. */
  #spareFor(byteCount: number): number {
    if (this.entries.length === ways) return 0
    return Math.max(byteCount >> 2, Math.min(byteCount, this.#expected - byteCount))
  }
}

export class KeptValues {
  readonly #room: CacheRoom
  readonly #keysPerGroup: number
  readonly #valueBytes: number
  /** Asked for last, and again for the neighbours of its key: what lies in it is right even where it is not kept any more. */
  #lastSlot = -1
  #last: Group | undefined
  /** Where the value found last lies. */
  bytes: Buffer = Buffer.alloc(0)
  at = 0

  /** `valueBytes`: of a value, on average. */
  constructor(room: CacheRoom, valueBytes: number) {
    this.#room = room
    this.#valueBytes = valueBytes
    this.#keysPerGroup = Math.max(1, Math.min(keysMax, Math.floor(groupBytes / Math.max(1, valueBytes))))
  }

  /** Whether the value of an entry of this key is kept: then it lies at `at` in `bytes` until something is kept or dropped. */
  find(key: number, entry: number): boolean {
    const group = this.#groupOf(this.#slotOf(key))
    if (group === undefined) return false
    const first = (key % this.#keysPerGroup) * ways
    for (let way = first; way < first + ways; way++) {
      if (group.entries[way] !== entry) continue
      this.bytes = group.bytes
      this.at = group.places[way]!
      return true
    }
    return false
  }

  #groupOf(slot: number): Group | undefined {
    if (slot === this.#lastSlot) return this.#last
    const group = this.#room.get<Group>(slot)
    this.#lastSlot = slot
    this.#last = group
    return group
  }

  #slotOf(key: number): number {
    return Math.floor(key / this.#keysPerGroup) * kept.kinds + kept.walked
  }

  /** Nobody needs the value of this entry any more. */
  drop(key: number, entry: number): void {
    const group = this.#groupOf(this.#slotOf(key))
    if (group === undefined) return
    const way = wayOf(group, (key % this.#keysPerGroup) * ways, entry)
    if (way !== none) group.entries[way] = none
  }

  /** Keeps a copy of a value, in the place of `spare` where that is kept. */
  keep(key: number, entry: number, spare: number, bytes: Buffer, at: number, size: number): void {
    const slot = this.#slotOf(key)
    const known = this.#groupOf(slot)
    const group = known ?? new Group(this.#keysPerGroup, this.#keysPerGroup * roomFor(this.#valueBytes))
    const first = (key % this.#keysPerGroup) * ways
    let way = wayOf(group, first, spare)
    if (way === none) way = wayOf(group, first, none)
    // Third readers have to make do.
    if (way === none) way = first + (entry % ways)
    const grew = group.rooms[way]! < size && group.grow(way, size)
    copyTo(group.bytes, group.places[way]!, bytes, at, at + size)
    group.entries[way] = entry
    if (!grew && known !== undefined) return
    this.#last = group
    this.#room.set(slot, group, group.byteCount)
  }
}

function wayOf({ entries }: Group, first: number, entry: number): number {
  for (let way = first; way < first + ways; way++) if (entries[way] === entry) return way
  return none
}
