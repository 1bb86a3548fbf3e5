// A pack, open for reading: the revisions of each key and what is stored of them, and the batches that they came in.

import type { RecordHeader } from '../../protocol/records/record.ts'
import { Cursor } from '../../protocol/varint.ts'
import type { File } from '../storage/file.ts'
import { type CacheRoom, type PackCache, packCache } from './pack-cache.ts'
import { PackedFile } from './pack-file.ts'
import { type Footer, type PackFacts, readFooter, sectionOf } from './pack-format.ts'
import { Frame } from './pack-frames.ts'
import { rebuild } from './pack-rebuild.ts'
import { entriesWith } from './pack-scalars.ts'
import { lowerBound } from './pack-sort.ts'
import { Steps } from './pack-steps.ts'
import { PackedBlocks } from './packed-blocks.ts'
import { KeyBlocks } from './packed-keys.ts'
import { type LookedEntries, type PackedRevision, PackedValues } from './packed-values.ts'
import { WalkedValues, type WantedValues } from './walked-values.ts'

export type { PackedRevision }

/** All keys of a pack at once, as they lie in its footer: views, good until `close`. */
export type PackedKeys = {
  /** Ascending; equal ones are different keys. */
  hashes: Float64Array
  /** The key of each hash, by its ordinal. */
  ordinals: Uint32Array
  /** By ordinal: the first entry; one more at the end. */
  firstEntries: Uint32Array
  /** By ordinal: number of the newest revision. */
  newestRevs: Float64Array
}

export type PackedRecord = {
  entry: number
  offset: number
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: RecordHeader[]
}

export class Pack {
  readonly path: string
  readonly baseOffset: number
  readonly nextOffset: number
  /** Bytes of the rebuilt batches. */
  readonly length: number
  /** Bytes of the pack's file. */
  readonly storedBytes: number
  /** Bytes of the records as they were, unpacked. */
  readonly fullBytes: number
  readonly keyCount: number
  readonly entryCount: number
  readonly batchCount: number
  readonly maxTimestamp: number
  /** What the JSON index knows. */
  readonly pointers: readonly string[]
  /** Values that the JSON index was to know and that are no JSON. */
  readonly unparsed: number
  /** What is wrong with its footer in the file, where that had to be mended. */
  readonly damage: string | undefined
  readonly #file: File
  readonly #footer: Footer
  readonly #room: CacheRoom
  readonly #values: PackedValues
  readonly #walked: WalkedValues
  readonly #keys: KeyBlocks
  readonly #frames: PackedBlocks<Frame>
  readonly #hashes: Float64Array
  readonly #ordinals: Uint32Array
  readonly #firstEntries: Uint32Array
  readonly #newestRevs: Float64Array
  /** The first so many entries are revisions; which key each is of. */
  readonly #keyedEntries: number
  readonly #steps: Steps

  private constructor(file: File, footer: Footer, cache: PackCache) {
    const { facts }: { facts: PackFacts } = footer
    this.path = file.path
    this.baseOffset = facts.baseOffset
    this.nextOffset = facts.nextOffset
    this.length = facts.length
    this.storedBytes = file.length
    this.fullBytes = facts.fullBytes
    this.entryCount = facts.entryCount
    this.batchCount = facts.batchCount
    this.maxTimestamp = facts.maxTimestamp
    this.pointers = facts.pointers
    this.unparsed = facts.unparsed
    this.damage = footer.damage
    this.#file = file
    this.#footer = footer
    this.#room = cache.room()
    this.#values = new PackedValues(file, footer, this.#room)
    const frames = footer.floats(sectionOf.frames)
    const readFrame = (bytes: Buffer, index: number): [Frame, number] => {
      const frame = new Frame(bytes, this.#frames.number(index, frameOffsetColumn))
      return [frame, frame.byteCount]
    }
    this.#frames = new PackedBlocks(file, frames, this.#room, 'frames', readFrame, frameRowLength)
    this.#hashes = footer.floats(sectionOf.hashes)
    this.#ordinals = footer.integers(sectionOf.ordinals)
    this.#firstEntries = footer.integers(sectionOf.firsts)
    this.#newestRevs = footer.floats(sectionOf.newest)
    this.keyCount = this.#hashes.length
    const valueBytes = facts.fullBytes / Math.max(1, facts.entryCount)
    this.#walked = new WalkedValues(file.path, this.#room, this.#values, this.keyCount, valueBytes)
    this.#keys = new KeyBlocks(file, footer, this.#room, this.keyCount)
    this.#keyedEntries = this.#firstEntries[this.keyCount]!
    this.#steps = new Steps(this.#firstEntries, this.keyCount, this.#keyedEntries)
  }

  /** Verifies the footer by its checksum: throws Corruption where the file is no whole pack. The pack closes the file. */
  static open(file: File, cache: PackCache = packCache): Pack {
    return new Pack(file, readFooter(file), cache)
  }

  /** The rebuilt batches one behind the other, up to `length`; reads throw DamagedRecords where a block is not what was written. */
  asFile(length = this.length): File {
    return new PackedFile(this, this.#file, this.#room, length)
  }

  /** For the file of rebuilt batches. */
  get frameCount(): number {
    return this.#frames.count
  }

  /** Where the rebuilt batches of a frame begin. */
  framePosition(index: number): number {
    return this.#frames.number(index)
  }

  /** The frame that holds a position of the rebuilt batches. */
  frameAt(position: number): number {
    return this.#frames.search(position)
  }

  /** The frame in which an offset may lie; -1: it is below the first. */
  frameOf(offset: number): number {
    return this.#frames.search(offset, frameOffsetColumn)
  }

  frame(index: number): Frame {
    return this.#frames.get(index)
  }

  keys(): PackedKeys {
    return {
      hashes: this.#hashes,
      ordinals: this.#ordinals,
      firstEntries: this.#firstEntries,
      newestRevs: this.#newestRevs,
    }
  }

  /** Bytes of a key by its ordinal. */
  key(ordinal: number): Buffer {
    const { bytes, start, end } = this.keyAt(ordinal)
    return bytes.subarray(start, end)
  }

  /** Where they lie: good until another key is asked for. */
  keyAt(ordinal: number): KeyBlocks {
    this.#keys.find(ordinal)
    return this.#keys
  }

  /** Ordinal of the key; -1 where the pack does not have it. */
  find(hash: number, key: Uint8Array): number {
    for (let at = lowerBound(this.#hashes, hash); this.#hashes[at] === hash; at++) {
      const ordinal = this.#ordinals[at]!
      if (this.key(ordinal).equals(key)) return ordinal
    }
    return -1
  }

  /** Entry of the key's newest revision, of those below an offset; -1 where there is none. */
  newest(hash: number, key: Uint8Array, below = Number.POSITIVE_INFINITY): number {
    const ordinal = this.find(hash, key)
    return ordinal < 0 ? -1 : this.newestOf(ordinal, below)
  }

  /** The same of a key by its ordinal. */
  newestOf(ordinal: number, below = Number.POSITIVE_INFINITY): number {
    const first = this.#firstEntries[ordinal]!
    let low = first - 1
    for (let high = this.#firstEntries[ordinal + 1]! - 1; low < high; ) {
      // The last one is the most likely, and the only one where nothing is hidden.
      const middle = below >= this.nextOffset ? high : (low + high + 1) >> 1
      if (this.offsetOf(middle) < below) low = middle
      else high = middle - 1
    }
    return low < first ? -1 : low
  }

  /** The key's revision before; -1 where it is the first here. */
  previous(entry: number): number {
    const ordinal = this.ordinalOf(entry)
    return ordinal < 0 || this.#firstEntries[ordinal] === entry ? -1 : entry - 1
  }

  /** The key that an entry is a revision of; -1 where it is none. */
  ordinalOf(entry: number): number {
    return entry < this.#keyedEntries ? this.#steps.find(entry) : -1
  }

  /** The entry at an offset; -1 where there is none (a marker, a hole). */
  entryAt(offset: number): number {
    const place = this.#placeOf(offset)
    return place === undefined ? -1 : place.frame.entries[place.record]!
  }

  #placeOf(offset: number): { frame: Frame; batch: number; record: number } | undefined {
    const index = this.frameOf(offset)
    if (index < 0) return undefined
    const frame = this.frame(index)
    const batch = frame.batchOf(offset)
    if (batch === frame.batchCount) return undefined
    const wanted = offset - frame.headers[batch]!.baseOffset
    let low = frame.firstRecords[batch]!
    for (let high = frame.firstRecords[batch + 1]!; low < high; ) {
      const middle = (low + high) >> 1
      if (frame.offsetDeltas[middle]! < wanted) low = middle + 1
      else high = middle
    }
    const isThere = low < frame.firstRecords[batch + 1]! && frame.offsetDeltas[low] === wanted
    return isThere ? { frame, batch, record: low } : undefined
  }

  entry(entry: number): PackedRevision {
    return this.#values.entry(entry, this.ordinalOf(entry))
  }

  offsetOf(entry: number): number {
    return this.#values.offset(entry)
  }

  revOf(entry: number): number {
    return this.#values.rev(entry)
  }

  /** The full value; null: a tombstone. Not to be written to. */
  value(entry: number): Buffer | null {
    return this.#values.value(entry)
  }

  /** Bytes of the value; a tombstone has none. */
  sizeOf(entry: number): number {
    return this.#values.size(entry)
  }

  look(entries: LookedEntries): void {
    this.#values.look(entries)
  }

  /** Writes values to places: for who asks in the order of the log. */
  writeValues(wanted: WantedValues, into: Buffer): void {
    this.#walked.write(wanted, into)
  }

  /** The delta as stored, in VCDIFF, against `entry(…).base`; undefined where it is none. */
  delta(entry: number): Buffer | undefined {
    return this.#values.delta(entry)
  }

  /** The record at an offset; undefined where there is none. */
  record(offset: number): PackedRecord | undefined {
    const place = this.#placeOf(offset)
    if (place === undefined) return undefined
    const { frame, batch, record } = place
    const entry = frame.entries[record]!
    const ordinal = this.ordinalOf(entry)
    return {
      entry,
      offset,
      timestamp: frame.timestamp(batch, record),
      key: ordinal < 0 ? null : this.key(ordinal),
      value: this.value(entry),
      headers: headersIn(frame, record),
    }
  }

  /** Entries whose value has this scalar (hash of json-scalars) at the pointer, ascending. Equal hashes are not told apart. */
  withScalar(pointer: string, hash: number): Uint32Array {
    const place = this.pointers.indexOf(pointer)
    if (place < 0) return new Uint32Array(0)
    const section = sectionOf.pointers + 2 * place
    return entriesWith(this.#footer.floats(section), this.#footer.integers(section + 1), hash)
  }

  /** Writes batches of a frame anew, from the `first` up to `end`, one behind the other, to a place. */
  rebuild(index: number, first: number, end: number, into: Buffer, at: number): void {
    rebuild(this, this.frame(index), first, end, into, at)
  }

  close(): void {
    this.#room.clear()
    this.#values.clear()
    this.#keys.clear()
    this.#footer.release()
    this.#file.close()
  }
}

const frameRowLength = 6
const frameOffsetColumn = 5

function headersIn(frame: Frame, record: number): RecordHeader[] {
  const start = frame.bodyStarts[record]!
  const end = frame.bodyEnds[record]!
  if (start === end) return []
  const cursor = new Cursor(frame.bodies, start, end)
  return Array.from({ length: cursor.varint() }, () => {
    const keyLength = cursor.varint()
    const key = frame.bodies.toString('utf8', cursor.position, cursor.position + keyLength)
    cursor.skip(keyLength)
    const length = cursor.varint()
    const value = length < 0 ? null : frame.bodies.subarray(cursor.position, cursor.position + length)
    if (value !== null) cursor.skip(length)
    return { key, value }
  })
}
