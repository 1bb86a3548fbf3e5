// The entries of a pack: what each is, and the value of any of them, made of what is stored.

import { DamagedRecords } from '../../protocol/errors.ts'
import type { File } from '../storage/file.ts'
import { DeltaError } from './decode-delta.ts'
import { encodeScript } from './encode-delta.ts'
import { type CacheRoom, kept } from './pack-cache.ts'
import {
  anchorDistance,
  deltaFromAnchor,
  deltaFromPrevious,
  EntryBlock,
  entriesPerBlock,
  full,
  tombstone,
} from './pack-entries.ts'
import { type Footer, sectionOf } from './pack-format.ts'
import { Steps } from './pack-steps.ts'
import type { ValueBlock } from './pack-values.ts'
import { PackedBlocks } from './packed-blocks.ts'
import { ValueBlocks } from './value-blocks.ts'
import { allocate, Words } from './value-memory.ts'

/** One entry: a revision of a key, or (rev 0) a record that is none. Entries of a key stand one behind the other, oldest first. */
export type PackedRevision = {
  entry: number
  /** Ordinal of its key in this pack; -1: it has none. */
  key: number
  rev: number
  offset: number
  timestamp: number
  /** Bytes of the value. */
  size: number
  /** Bytes stored for it, before blocks are deflated. */
  stored: number
  format: 'full' | 'vcdiff' | 'tombstone'
  /** The entry that a delta is stored against; -1 where it is full or a tombstone. */
  base: number
}

/** What is asked of each entry again and again while values are made: found together, for each entry lies in memory of its own. */
export type LookedEntries = {
  readonly count: number
  readonly entries: Int32Array
  readonly kinds: Uint8Array
  /** Bytes of the value, and of what it is made of. */
  readonly sizes: Int32Array
  readonly baseSizes: Int32Array
  readonly uses: Uint8Array
}

/** What later values are made of: the value itself of the next one, or of the next anchor; or the one before it of that. */
export const use = { next: 1, anchor: 2, anchorBefore: 4 } as const

const formats = ['full', 'vcdiff', 'vcdiff', 'tombstone'] as const

export class PackedValues {
  readonly #path: string
  readonly #room: CacheRoom
  readonly #values: ValueBlocks
  /** The first entry of each block of values. */
  readonly #firsts: Int32Array
  readonly #entries: PackedBlocks<EntryBlock>
  readonly #count: number
  /** In which block of values an entry is. */
  readonly #steps: Steps
  #last: EntryBlock | undefined
  /** The entries in it. */
  #first = 0
  #end = 0
  #lastValues: ValueBlock | undefined
  #lastFirst = 0
  #lastEnd = 0
  /** Of what was asked for last: where it is in the memory of its block, and which one of the block it is. */
  place = 0
  index = 0

  constructor(file: File, footer: Footer, room: CacheRoom) {
    const { baseOffset } = footer.facts
    this.#path = file.path
    this.#count = footer.facts.entryCount
    this.#room = room
    this.#values = new ValueBlocks(file, footer.floats(sectionOf.values), room, this.#count, () => this.#letGo())
    this.#firsts = this.#values.firsts()
    this.#steps = new Steps(this.#firsts, this.#values.count, this.#count)
    this.#entries = new PackedBlocks(file, footer.floats(sectionOf.entries), room, 'entries', (bytes) => {
      const block = new EntryBlock(bytes, baseOffset)
      return [block, block.byteCount]
    })
  }

  /** The block with an entry. */
  #block(entry: number): EntryBlock {
    // Asked several things of one entry, and then of its neighbours.
    if (entry < this.#first || entry >= this.#end) this.#showEntries(entry)
    return this.#last!
  }

  #showEntries(entry: number): void {
    const index = Math.floor(entry / entriesPerBlock)
    this.#last = this.#entries.get(index)
    this.#first = index * entriesPerBlock
    this.#end = this.#first + entriesPerBlock
  }

  /** Lets go what it holds. */
  clear(): void {
    this.#last = undefined
    this.#end = 0
    this.#letGo()
  }

  /** The block is a part of something large. */
  #letGo(): void {
    this.#lastValues = undefined
    this.#lastEnd = 0
  }

  /** How it is stored (pack-entries.ts); -1 behind the last entry. */
  kind(entry: number): number {
    return entry < this.#count ? this.#block(entry).kinds[entry % entriesPerBlock]! : -1
  }

  /** Finds out about all entries. */
  look({ count, entries, kinds, sizes, baseSizes, uses }: LookedEntries): void {
    for (let i = 0; i < count; i++) {
      const entry = entries[i]!
      const block = this.#block(entry)
      const place = entry % entriesPerBlock
      const kind = block.kinds[place]!
      kinds[i] = kind
      sizes[i] = block.sizes[place]!
      const distance = kind === deltaFromPrevious ? 1 : anchorDistance
      const isDelta = kind === deltaFromPrevious || kind === deltaFromAnchor
      if (!isDelta || entry < distance) baseSizes[i] = 0
      else baseSizes[i] = place < distance ? this.size(entry - distance) : block.sizes[place - distance]!
      let found = 0
      if (this.#kindNear(block, entry, 1) === deltaFromPrevious) found |= use.next
      if (kind === deltaFromAnchor) {
        if (this.#kindNear(block, entry, anchorDistance) === deltaFromAnchor) found |= use.anchor
      } else if (kind === deltaFromPrevious && entry > 0 && this.#kindNear(block, entry, -1) === deltaFromAnchor) {
        if (this.#kindNear(block, entry, anchorDistance - 1) === deltaFromAnchor) found |= use.anchorBefore
      }
      uses[i] = found
    }
  }

  /** The kind of an entry that stands some places behind another one, which is in this block. */
  #kindNear(block: EntryBlock, entry: number, distance: number): number {
    const place = (entry % entriesPerBlock) + distance
    if (place >= 0 && place < block.kinds.length) return block.kinds[place]!
    return this.kind(entry + distance)
  }

  offset(entry: number): number {
    return this.#block(entry).places.offsets[entry % entriesPerBlock]!
  }

  rev(entry: number): number {
    return this.#block(entry).places.revs[entry % entriesPerBlock]!
  }

  size(entry: number): number {
    return this.#block(entry).sizes[entry % entriesPerBlock]!
  }

  /** `key`: the ordinal, which others know. */
  entry(entry: number, key: number): PackedRevision {
    const block = this.#block(entry)
    const place = entry % entriesPerBlock
    const { revs, offsets, times } = block.places
    const kind = block.kinds[place]!
    return {
      entry,
      key,
      rev: revs[place]!,
      offset: offsets[place]!,
      timestamp: times[place]!,
      size: block.sizes[place]!,
      stored: block.stored[place]!,
      format: formats[kind]!,
      base: kind === deltaFromPrevious ? entry - 1 : kind === deltaFromAnchor ? entry - anchorDistance : -1,
    }
  }

  /** The full value; null: a tombstone. Not to be written to. */
  value(entry: number): Buffer | null {
    const deltas: number[] = []
    let at = entry
    let value: Buffer | undefined
    for (;;) {
      value = this.#room.get<Buffer>(at * kept.kinds + kept.decoded)
      if (value !== undefined) break
      const kind = this.#block(at).kinds[at % entriesPerBlock]!
      if (kind === tombstone) return null
      if (kind === full) {
        value = this.#full(at)
        break
      }
      deltas.push(at)
      at -= kind === deltaFromPrevious ? 1 : anchorDistance
      if (at < 0) throw new DamagedRecords(`${this.#path}: entry ${entry} is a delta from nothing`)
    }
    for (let i = deltas.length - 1; i >= 0; i--) value = this.#applied(deltas[i]!, value)
    return value
  }

  #full(entry: number): Buffer {
    // A copy: who has a view of a slab keeps all of it from being let go.
    const { words } = this.fullBlock(entry)
    const value = allocate(this.size(entry))
    words.bytes.copy(value, 0, this.place, this.place + value.length)
    return value
  }

  #applied(entry: number, base: Buffer): Buffer {
    try {
      const size = this.size(entry)
      const value = allocate(size)
      this.valueBlock(entry).apply(this.place, new Words(base), 0, base.length, new Words(value), 0, size)
      this.#room.set(entry * kept.kinds + kept.decoded, value, value.length)
      return value
    } catch (cause) {
      if (!(cause instanceof DeltaError)) throw cause
      throw new DamagedRecords(`${this.#path}: the delta of entry ${entry} ${cause.message}`)
    }
  }

  /** The block that an entry is stored in, at `place` (~ of it where it is a delta), which is good until the next call. */
  valueBlock(entry: number): ValueBlock {
    const block = this.blockOf(entry)
    this.place = block.place(this.index)
    return block
  }

  /** The same, which one it is there: `index`. */
  blockOf(entry: number): ValueBlock {
    // A value and what it is made of lie together.
    if (entry < this.#lastFirst || entry >= this.#lastEnd) this.#showBlock(entry)
    this.index = entry - this.#lastFirst
    return this.#lastValues!
  }

  /** The same of a full value. */
  fullBlock(entry: number): ValueBlock {
    const block = this.valueBlock(entry)
    this.checkFull(entry, block, this.place)
    return block
  }

  /** Throws DamagedRecords where no full value is at this place of a block. */
  checkFull(entry: number, { end }: ValueBlock, place: number): void {
    if (place >= 0 && place + this.size(entry) <= end) return
    throw new DamagedRecords(`${this.#path}: entry ${entry} is not stored in full`)
  }

  #showBlock(entry: number): void {
    const index = entry < this.#count ? this.#steps.find(entry) : -1
    const block = this.#values.get(index)
    const first = this.#firsts[index]!
    if (entry - first >= block.count) throw this.#values.damage(index, `does not hold entry ${entry}`)
    this.#lastValues = block
    this.#lastFirst = first
    this.#lastEnd = first + block.count
  }

  /** The delta as stored, in VCDIFF, and what it is against; undefined where it is none. */
  delta(entry: number): Buffer | undefined {
    const { base } = this.entry(entry, -1)
    if (base < 0) return undefined
    const script = this.blockOf(entry).script(this.index, this.size(entry))
    return encodeScript(script, this.size(base), this.size(entry))
  }
}
