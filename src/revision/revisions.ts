// Every revision of a partition: which number a record is of its key, and which records a key has. Made when somebody asks,
// kept in memory, and led on from where it stopped to what is decided; a record that is produced never waits for it.
//
//   counts of files that are gone │ packs: their footers │ the rest: what a scan has met, a part for each segment
//                            upTo ┘

import { Corruption } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { RecordCursor, walkRecords } from '../../protocol/records/record.ts'
import type { Log } from '../log/log.ts'
import type { Segment } from '../log/segment.ts'
import { segmentIndexOf } from '../log/segment-search.ts'
import { shortRest } from '../log/walk.ts'
import { timestampOf, walkBatches } from './batch-walk.ts'
import { CarriedCounts } from './carried-counts.ts'
import { hashKey, type KeyHash } from './key-hash.ts'
import { KnownParts, type Place } from './known-parts.ts'
import { Pack } from './pack.ts'
import { PackedPart } from './packed-part.ts'
import type { Part } from './part.ts'
import type { Revision, RevisionRange, RevisionRecord } from './revision.ts'
import { type Met, offsetsApartMax, ScannedPart } from './scanned-part.ts'
import { StoredRecords } from './stored-records.ts'
import { TakenBack } from './taken-back.ts'
import { isUnreadable } from './unreadable.ts'

/** Bytes of batches that one slice of catching up looks at: a millisecond or so. */
export const sliceBytes = 128 * 1024

/** What a key of a pack costs, told in bytes of a scan. */
const packedKeyCost = 64

export type RevisionSource = {
  readonly log: Log
  /** Everything below is decided, and may be read. */
  stableOffset(): number
  /** Of files that are gone. */
  readonly counts?: CarriedCounts
  /** For tests. */
  readonly hash?: KeyHash
}

export class Revisions {
  readonly log: Log
  readonly #stableOffset: () => number
  readonly #hash: KeyHash
  readonly #counts: CarriedCounts
  readonly #known: KnownParts
  readonly #records = new StoredRecords()
  #indexedOffset: number
  /** The next slice, for all who wait. */
  #step: Promise<void> | undefined
  readonly #met: Met = { hash: 0, bytes: Buffer.alloc(0), keyStart: 0, keyEnd: 0, offset: 0, timestamp: 0, size: 0 }
  readonly #cursor = new RecordCursor()
  #filesVersion: number
  /** A pack some of whose keys are noted. */
  #coming: { readonly part: PackedPart; keys: number } | undefined
  readonly #cleanOffset: number

  constructor(source: RevisionSource) {
    const { log, hash = hashKey, counts = new CarriedCounts(hash) } = source
    this.log = log
    this.#stableOffset = () => source.stableOffset()
    this.#hash = hash
    this.#counts = counts
    this.#known = new KnownParts(hash)
    this.#indexedOffset = Math.max(log.segments[0]?.baseOffset ?? log.logStartOffset, counts.upTo)
    this.#filesVersion = log.filesVersion
    this.#cleanOffset = log.cleanOffset
  }

  /** Compaction has been here: what it took is still known, and another index would not know it. */
  get isOutdated(): boolean {
    return this.log.cleanOffset !== this.#cleanOffset
  }

  /** Every decided record below is known. */
  get indexedOffset(): number {
    return this.#indexedOffset
  }

  /** For look-ups that go from revision to revision; look at `isVisible` too. */
  get known(): KnownParts {
    // What is packed anew or gone is closed.
    if (this.log.filesVersion !== this.#filesVersion) this.#followFiles()
    return this.#known
  }

  /** Goes on for about `bytes` bytes of the log; whether there is more. Throws Corruption, StorageError. */
  catchUp(bytes = sliceBytes): boolean {
    if (this.log.filesVersion !== this.#filesVersion) this.#followFiles()
    const to = this.#stableOffset()
    for (let left = bytes; this.#indexedOffset < to; ) {
      if (left <= 0) return true
      left -= this.#advance(to, left)
    }
    return false
  }

  /** Resolves when everything that is decided now is known; undefined where it is. Rejects with Corruption, StorageError. */
  ready(): Promise<void> | undefined {
    return this.catchUp() ? this.#reach(this.#stableOffset()) : undefined
  }

  async #reach(offset: number): Promise<void> {
    while (this.#indexedOffset < offset) {
      this.#step ??= shortRest().then(() => {
        this.#step = undefined
        this.catchUp()
      })
      await this.#step
    }
  }

  /** Files went, or were packed: the parts that tell of them are others now. */
  #followFiles(): void {
    const { segments, filesVersion } = this.log
    this.#filesVersion = filesVersion
    this.#records.clear()
    this.#coming = undefined
    const before = this.#known.all
    const parts: Part[] = []
    for (const segment of segments) {
      if (segment.baseOffset >= this.#indexedOffset) break
      const { packed } = segment
      const inside = before.filter(
        (part) => part.baseOffset >= segment.baseOffset && part.baseOffset < segment.nextOffset,
      )
      const isKnown = inside.some((part) => part instanceof PackedPart && part.pack === packed)
      if (!(packed instanceof Pack) || isKnown) parts.push(...inside)
      else {
        parts.push(new PackedPart(packed, segment.nextOffset, this.#hash))
        this.#indexedOffset = Math.max(this.#indexedOffset, segment.nextOffset)
      }
    }
    this.#known.replace(parts)
    this.#indexedOffset = Math.max(this.#indexedOffset, segments[0]?.baseOffset ?? 0)
  }

  /** Takes the next stretch in; answers what it cost, in bytes. */
  #advance(to: number, bytes: number): number {
    const { segments } = this.log
    const from = this.#indexedOffset
    const at = segmentIndexOf(segments, from)
    const segment = segments[at]
    const next = segments[at + 1]
    if (segment !== undefined && from < segment.nextOffset) return this.#scan(segment, from, to, bytes)
    this.#indexedOffset = next === undefined ? to : Math.min(to, next.baseOffset)
    return 0
  }

  #scan(segment: Segment, from: number, to: number, bytes: number): number {
    const { packed } = segment
    if (packed instanceof Pack) return this.#takePack(packed, segment.nextOffset, bytes)
    const part = this.#scannedPart(segment, from)
    const takenBack = new TakenBack(this.log, from, to)
    let cost = 0
    const visit = (seen: Buffer, at: number) => {
      cost += batch.sizeInBytes(seen, at)
      if (!batch.isControl(seen, at) && !takenBack.has(seen, at)) cost += this.#take(part, seen, at, from)
      return cost >= bytes
    }
    const next = walkBatches(segment, from, to, visit, true)
    if (next <= from) throw new Corruption(`${segment.path}: no batch at offset ${from}`)
    this.#indexedOffset = next
    part.reached(next)
    return Math.max(cost, 1)
  }

  /** The keys of a pack are noted a slice at a time; then it counts. */
  #takePack(pack: Pack, bound: number, bytes: number): number {
    if (this.#coming?.part.pack !== pack) this.#coming = { part: new PackedPart(pack, bound, this.#hash), keys: 0 }
    const { part, keys } = this.#coming
    const { hashes } = part
    const end = Math.min(hashes.length, keys + Math.ceil(bytes / packedKeyCost))
    for (let key = keys; key < end; key++) this.#known.noteKey(part, hashes[key]!)
    this.#coming.keys = end
    if (end === hashes.length) {
      this.#known.add(part)
      this.#coming = undefined
      this.#indexedOffset = part.nextOffset
    }
    return packedKeyCost * Math.max(1, end - keys)
  }

  /** The part for the next records of a segment. */
  #scannedPart(segment: Segment, from: number): ScannedPart {
    const last = this.#known.all.at(-1)
    const goesOn =
      last instanceof ScannedPart &&
      last.nextOffset === from &&
      last.baseOffset >= segment.baseOffset &&
      segment.nextOffset - last.baseOffset < offsetsApartMax
    if (goesOn) return last
    const part = new ScannedPart(from)
    this.#known.add(part)
    return part
  }

  /** Answers what unpacking has cost. */
  #take(part: ScannedPart, bytes: Buffer, at: number, from: number): number {
    const base = batch.baseOffset(bytes, at)
    const met = this.#met
    try {
      const cursor = walkRecords(bytes, at, undefined, this.#cursor)
      while (cursor.next()) {
        const offset = base + cursor.offsetDelta
        if (cursor.keyLength < 0 || offset < from) continue
        met.bytes = cursor.bytes
        met.keyStart = cursor.keyStart
        met.keyEnd = cursor.keyStart + cursor.keyLength
        met.hash = this.#hash(met.bytes, met.keyStart, met.keyEnd)
        met.offset = offset
        met.timestamp = timestampOf(bytes, at, cursor)
        met.size = cursor.valueLength
        if (part.add(met, this.#countBefore, this.#counts.lastOffset)) this.#known.noteKey(part, met.hash)
      }
      return cursor.bytes === bytes ? 0 : cursor.bytes.length
    } catch (cause) {
      if (!isUnreadable(cause)) throw cause
      return 0
    }
  }

  /** The number of the newest revision of a key that the last part does not have yet. */
  readonly #countBefore = ({ hash, bytes, keyStart, keyEnd, offset }: Met): number => {
    const key = bytes.subarray(keyStart, keyEnd)
    const found = this.#known.newest(hash, key)
    const gone = Math.max(this.#counts.of(hash, bytes, keyStart, keyEnd, offset), this.#known.countAtCuts(hash, key))
    return found === undefined ? gone : Math.max(gone, found.part.revOf(found.entry))
  }

  /** Whether a revision is still there for readers: what lies below the log start is not. */
  isVisible({ part, entry }: Place): boolean {
    return part.offsetOf(entry) >= this.log.logStartOffset
  }

  /** The revision of the same key before, if it is still there. */
  before(place: Place): Place | undefined {
    const found = this.known.before(place)
    return found !== undefined && this.isVisible(found) ? found : undefined
  }

  /** Where the newest revision of a key is, of those below an offset. */
  find(key: Uint8Array, below = Infinity): Place | undefined {
    const found = this.known.newestOf(key, below)
    return found !== undefined && this.isVisible(found) ? found : undefined
  }

  /** The newest revision of a key, of those below an offset. */
  newest(key: Uint8Array, below = Infinity): Revision | undefined {
    const found = this.find(key, below)
    return found && describe(found)
  }

  /** The revisions of a key that are still there. */
  of(key: Uint8Array, { below = Infinity, newestFirst = false }: RevisionRange = {}): Revision[] {
    const found: Revision[] = []
    for (let place = this.find(key, below); place !== undefined; place = this.before(place)) found.push(describe(place))
    return newestFirst ? found : found.reverse()
  }

  /** The record at an offset; undefined where it is no revision, or gone. Throws DamagedRecords. */
  read(offset: number): RevisionRecord | undefined {
    const place = this.known.at(offset)
    const record =
      place?.part instanceof PackedPart ? place.part.pack.record(offset) : this.#records.at(this.log, offset)
    return record === undefined || record.key === null ? undefined : { ...record, key: record.key }
  }
}

/** What is told of a revision. */
export function describe({ part, entry }: Place): Revision {
  return {
    rev: part.revOf(entry),
    offset: part.offsetOf(entry),
    timestamp: part.timestampOf(entry),
    size: part.sizeOf(entry),
    stored: part.storedOf(entry),
    format: part.formatOf(entry),
  }
}
