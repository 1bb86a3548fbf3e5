// Batches back from a pack: a frame says what they were, entries say what was in them. The checksum of each is that of the batch as
// it was written, so what comes out is what went in or is refused.
//
// Records of a run lie all over the pack, by their keys. So a run is gone over several times, each time for one thing:
//
//   1  in the order of entries: what they are, how long key and value     a block is looked up once
//   2  in the order of the log: where each record begins                  nothing but numbers
//   3  in the order of entries: all but the values
//   4  in the order of entries: the values (walked-values.ts)             what a value is made of was mostly just written
//   5  batch by batch: the checksum

import { DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { sizeOfVarint } from '../../protocol/varint.ts'
import { tombstone } from './pack-entries.ts'
import { type Frame, writeFrameHeader } from './pack-frames.ts'
import { bodyBytes, writeHead } from './pack-pieces.ts'
import { sortPairs } from './pack-sort.ts'
import type { LookedEntries } from './packed-values.ts'
import type { WantedValues } from './walked-values.ts'

/** What a pack gives for it. */
export type PackedParts = {
  readonly path: string
  ordinalOf(entry: number): number
  keyAt(ordinal: number): { readonly bytes: Buffer; readonly start: number; readonly end: number }
  look(entries: LookedEntries): void
  writeValues(wanted: WantedValues, into: Buffer): void
}

/** Writes the batches of a frame from the `first` up to `end`, one behind the other, to a place that has room for them. */
export function rebuild(pack: PackedParts, frame: Frame, first: number, end: number, into: Buffer, at: number): void {
  const start = at - frame.positions[first]!
  const run = runFor(frame.firstRecords[end]! - frame.firstRecords[first]!)
  run.takeUp(frame, first, end)
  run.measure(pack)
  for (let index = first; index < end; index++) {
    const to = start + frame.positions[index]!
    const verbatim = frame.verbatim(index)
    if (verbatim !== undefined) verbatim.copy(into, to)
    else if (!run.place(frame, index, into, to)) throw damage(pack, frame, index)
  }
  run.writeHeads(pack, frame, into)
  pack.writeValues(run, into)
  for (let index = first; index < end; index++) {
    if (!batch.crcMatches(into, start + frame.positions[index]!)) throw damage(pack, frame, index)
  }
}

const damage = (pack: PackedParts, frame: Frame, index: number): DamagedRecords =>
  new DamagedRecords(`${pack.path}: the batch at offset ${frame.headers[index]!.baseOffset} cannot be rebuilt from it`)

const keptRecordsMax = 8192

/**
 * Records to be rebuilt, and what is known of each: used again from one run to the next. Some of it stands in the order of entries,
 * and some in the order of the log.
 */
class Run implements WantedValues {
  readonly room: number
  count = 0
  /** In the order of entries: the record, the key, and where the value begins. */
  readonly entries: Int32Array
  readonly #records: Int32Array
  readonly keys: Int32Array
  readonly places: Int32Array
  readonly kinds: Uint8Array
  readonly sizes: Int32Array
  readonly baseSizes: Int32Array
  readonly uses: Uint8Array
  /** In the order of the log: lengths of key and value (-1: null) and of the record, and where that begins. */
  readonly #keyLengths: Int32Array
  readonly #valueLengths: Int32Array
  readonly #bodies: Int32Array
  readonly #starts: Int32Array
  /** The record that the order of the log begins with. */
  #first = 0

  constructor(room: number) {
    const integers = () => new Int32Array(room)
    this.room = room
    this.entries = integers()
    this.#records = integers()
    this.keys = integers()
    this.places = integers()
    this.kinds = new Uint8Array(room)
    this.sizes = integers()
    this.baseSizes = integers()
    this.uses = new Uint8Array(room)
    this.#keyLengths = integers()
    this.#valueLengths = integers()
    this.#bodies = integers()
    this.#starts = integers()
  }

  /** The records of some batches, but for those that are kept as they are. */
  takeUp(frame: Frame, first: number, end: number): void {
    const records = this.#records
    const { entries } = this
    this.#first = frame.firstRecords[first]!
    let count = 0
    let last = -1
    let isAscending = true
    for (let index = first; index < end; index++) {
      if (frame.verbatim(index) !== undefined) continue
      for (let record = frame.firstRecords[index]!; record < frame.firstRecords[index + 1]!; record++) {
        const entry = frame.entries[record]!
        if (entry < last) isAscending = false
        last = entry
        entries[count] = entry
        records[count++] = record - this.#first
      }
    }
    this.count = count
    if (!isAscending) sortPairs(entries, records, count)
  }

  /** Which key each record has, and how long it is with its value: one after the other, for each looks into memory of its own. */
  measure(pack: PackedParts): void {
    const { count, entries, keys, kinds, sizes } = this
    const records = this.#records
    pack.look(this)
    for (let i = 0; i < count; i++) this.#valueLengths[records[i]!] = kinds[i] === tombstone ? -1 : sizes[i]!
    for (let i = 0; i < count; i++) keys[i] = pack.ordinalOf(entries[i]!)
    let keyLength = -1
    for (let i = 0; i < count; i++) {
      const key = keys[i]!
      if (key < 0) keyLength = -1
      else if (i === 0 || keys[i - 1] !== key) {
        const { start, end } = pack.keyAt(key)
        keyLength = end - start
      }
      this.#keyLengths[records[i]!] = keyLength
    }
  }

  /** Writes the header of a batch and says where its records go; false where they do not fill it. */
  place(frame: Frame, index: number, into: Buffer, start: number): boolean {
    const { times, offsetDeltas, bodyStarts, bodyEnds } = frame
    const header = frame.headers[index]!
    const end = frame.firstRecords[index + 1]!
    writeFrameHeader(into, start, header, frame.recordCount(index))
    let at = start + batch.headerBytes
    for (let record = frame.firstRecords[index]!; record < end; record++) {
      const i = record - this.#first
      const headerBytes = bodyEnds[record]! - bodyStarts[record]!
      const keyLength = this.#keyLengths[i]!
      const body = bodyBytes(times[record]!, offsetDeltas[record]!, keyLength, this.#valueLengths[i]!, headerBytes)
      this.#bodies[i] = body
      this.#starts[i] = at
      at += sizeOfVarint(body) + body
    }
    return at === start + header.size
  }

  /** Writes all of each record but its value. */
  writeHeads(pack: PackedParts, frame: Frame, into: Buffer): void {
    const { times, offsetDeltas, bodyStarts, bodyEnds, bodies } = frame
    const { count, keys, places } = this
    let key = noKey
    for (let i = 0; i < count; i++) {
      const local = this.#records[i]!
      const record = this.#first + local
      const ordinal = keys[i]!
      if (ordinal >= 0) key = pack.keyAt(ordinal)
      const keyLength = this.#keyLengths[local]!
      const valueLength = this.#valueLengths[local]!
      const start = this.#starts[local]!
      const body = this.#bodies[local]!
      const time = times[record]!
      const offset = offsetDeltas[record]!
      const at = writeHead(into, start, body, time, offset, key.bytes, key.start, keyLength, valueLength)
      const end = at + Math.max(0, valueLength)
      places[i] = at
      if (bodyEnds[record] === bodyStarts[record]) into[end] = 0
      else bodies.copy(into, end, bodyStarts[record], bodyEnds[record])
    }
  }
}

const noKey: ReturnType<PackedParts['keyAt']> = { bytes: Buffer.alloc(0), start: 0, end: 0 }

let spare = new Run(1024)

function runFor(recordCount: number): Run {
  if (recordCount <= spare.room) return spare
  const run = new Run(Math.max(recordCount, Math.min(2 * recordCount, keptRecordsMax)))
  if (run.room <= keptRecordsMax) spare = run
  return run
}
