// Segments → pack, in slices, so that it runs beside the broker as well as in a worker.
//
//   walk 1  which keys, where their values (pack-scan.ts)         → an entry for each record, key by key
//   keys    each key's values in turn, as a chain (pack-chain.ts) → blocks of values, entries, keys
//   walk 2  batches again, now that every entry has its number    → frames
//   footer

import * as batch from '../../protocol/records/batch.ts'
import { OffsetIndex } from '../log/offset-index.ts'
import { TimeIndex } from '../log/time-index.ts'
import { BlockWriter, PackOutput } from './pack-blocks.ts'
import { Chain } from './pack-chain.ts'
import { Column } from './pack-column.ts'
import { EntryColumns, entriesPerBlock } from './pack-entries.ts'
import { formatVersion, head, type PackFacts, type Section, sectionOf, writeFooter } from './pack-format.ts'
import { FrameColumns, type FrameHeader, type FrameRecord, headerOf } from './pack-frames.ts'
import {
  type Packed,
  type PackOptions,
  type PackSink,
  type PackSource,
  PackTooLarge,
  packLengthMax,
} from './pack-job.ts'
import { piecesOf, type RecordParts } from './pack-pieces.ts'
import { ScalarIndex } from './pack-scalars.ts'
import { Scan } from './pack-scan.ts'
import { sortedWithOrdinals } from './pack-sort.ts'
import { ValueColumns } from './pack-values.ts'
import { partsAt, SourceWalk } from './pack-walk.ts'

/** A block of values goes on for as long as it is about one key, and ends with the key where it is long enough to deflate well. */
const valueBlockBytes = 64 * 1024
const valueBlockBytesMin = 16 * 1024
const keyBlockBytes = 16 * 1024
const frameBytes = 16 * 1024
const frameRecordsMax = 4096
/** Of rebuilt batches in one frame. */
const frameLengthMax = 64 * 1024 * 1024
/** Values encoded in one slice, and batches walked. */
const sliceBytes = 64 * 1024
const walkSliceBytes = 1024 * 1024
const indexIntervalDefault = 4096
const nothing = Buffer.alloc(0)

/** Yields between slices of about 5 ms; the sink has everything when it returns. */
export function* buildPack(source: PackSource, sink: PackSink, options: PackOptions): Generator<void, Packed, void> {
  const build = new PackBuild(source, sink, options)
  yield* build.scan.run(options)
  yield* build.writeEntries()
  yield* build.writeFrames()
  return build.finish()
}

class PackBuild {
  readonly scan: Scan
  readonly #source: PackSource
  readonly #options: PackOptions
  readonly #output: PackOutput
  readonly #values: BlockWriter
  readonly #entries: BlockWriter
  readonly #keys: BlockWriter
  readonly #frames: BlockWriter
  readonly #scalars: ScalarIndex
  /** Of each record that stays, in the order of the log. */
  #entryOf = new Int32Array(0)
  #firstEntries = new Uint32Array(0)
  #newestRevs = new Float64Array(0)
  readonly #offsetIndex = new OffsetIndex()
  readonly #timeIndex = new TimeIndex()
  #unindexedBytes = 0
  #length = 0
  #batchCount = 0
  #maxTimestamp = -1

  constructor(source: PackSource, sink: PackSink, options: PackOptions) {
    this.#source = source
    this.#options = options
    this.scan = new Scan(source, options)
    this.#output = new PackOutput(sink)
    this.#output.write(head)
    this.#values = new BlockWriter(this.#output)
    this.#entries = new BlockWriter(this.#output)
    this.#keys = new BlockWriter(this.#output)
    this.#frames = new BlockWriter(this.#output)
    this.#scalars = new ScalarIndex(options.pointers)
  }

  /** Numbers the records key by key; answers the record of each entry. */
  #arrange(): Int32Array {
    const { keyOf, keys, revs, count } = this.scan
    // Records without a revision stand last, as if they had a key behind all others.
    const ends = new Uint32Array(keys.count + 2)
    const groupOf = (record: number): number => (keyOf.at(record) < 0 ? keys.count : keyOf.at(record))
    for (let record = 0; record < count; record++) ends[groupOf(record) + 1]! += 1
    for (let group = 1; group < ends.length; group++) ends[group]! += ends[group - 1]!
    this.#firstEntries = ends.slice(0, keys.count + 1)
    this.#newestRevs = new Float64Array(keys.count)
    this.#entryOf = new Int32Array(count)
    const recordOf = new Int32Array(count)
    for (let record = 0; record < count; record++) {
      const group = groupOf(record)
      const entry = ends[group]!
      ends[group] = entry + 1
      this.#entryOf[record] = entry
      recordOf[entry] = record
      if (group < keys.count) this.#newestRevs[group] = revs.at(record)
    }
    return recordOf
  }

  *writeEntries(): Generator<void, void, void> {
    const { scan } = this
    const recordOf = this.#arrange()
    const chain = new Chain(this.#options.keyframeEvery, this.#options.diffMaxBytes)
    const values = new ValueColumns()
    const keys = new Column(keyBlockBytes)
    const columns = new EntryColumns()
    let firstKey = 0
    let lastKey = -1
    let slice = 0
    for (let entry = 0; entry < recordOf.length; entry++) {
      const record = recordOf[entry]!
      const key = scan.keyOf.at(record)
      if (key !== lastKey || key < 0) {
        chain.restart()
        if (values.byteCount >= valueBlockBytesMin) this.#flushValues(values, entry)
        if (key >= 0) {
          const bytes = scan.keys.key(key)
          keys.unsigned(bytes.length)
          keys.raw(bytes)
          if (keys.length >= keyBlockBytes || key === scan.keys.count - 1) {
            this.#keys.write(keys.bytes, firstKey)
            keys.clear()
            firstKey = key + 1
          }
        }
        lastKey = key
      }
      const value = scan.value(record, chain)
      const { kind, script } = chain.next(value)
      if (columns.count === entriesPerBlock) this.#flushEntries(columns, entry)
      if (columns.count === 0) columns.restart(this.#source.baseOffset)
      const size = value?.length ?? 0
      if (values.count > 0 && script === undefined && values.byteCount + size > valueBlockBytes) {
        this.#flushValues(values, entry)
      }
      const before = values.byteCount
      if (script !== undefined) values.addScript(script, size)
      else values.addFull(value ?? nothing)
      const stored = script === undefined ? size : values.byteCount - before
      columns.add(kind, stored, size, scan.revs.at(record), scan.offsets.at(record), scan.times.at(record))
      if (values.byteCount >= valueBlockBytes) this.#flushValues(values, entry + 1)
      if (value !== null && key >= 0) this.#scalars.add(entry, value)
      slice += 200 + size
      if (slice < sliceBytes) continue
      slice = 0
      yield
    }
    if (values.count > 0) this.#flushValues(values, recordOf.length)
    if (columns.count > 0) this.#flushEntries(columns, recordOf.length)
  }

  #flushEntries(columns: EntryColumns, end: number): void {
    this.#entries.write(columns.bytes(), end - columns.count)
    columns.restart(0)
  }

  #flushValues(values: ValueColumns, end: number): void {
    this.#values.write(values.bytes(), end - values.count)
    values.clear()
  }

  *writeFrames(): Generator<void, void, void> {
    const frame = new FrameColumns()
    const walk = new SourceWalk(this.#source, this.scan.unpacked)
    const { revs } = this.#options
    let frameAt = 0
    let frameOffset = 0
    let record = 0
    let kept = 0
    let slice = 0
    const flush = (): void => {
      if (frame.batchCount > 0) this.#frames.write(frame.bytes(), frameAt, frameOffset)
      frame.restart(0)
    }
    const add = (header: FrameHeader, records: readonly FrameRecord[], verbatim: Buffer | undefined): void => {
      const isFull =
        frame.byteCount >= frameBytes ||
        frame.recordCount >= frameRecordsMax ||
        this.#length - frameAt + header.size > frameLengthMax
      if (isFull) flush()
      if (frame.batchCount === 0) {
        frameAt = this.#length
        frameOffset = header.baseOffset
        frame.restart(frameOffset)
      }
      frame.add(header, records, verbatim)
      this.#note(header)
    }
    while (walk.next()) {
      slice += walk.size
      if (slice >= walkSliceBytes) {
        slice = 0
        yield
      }
      const { bytes, at } = walk
      if (walk.isBare) {
        add(headerOf(bytes, at), [], bytes.subarray(at, at + walk.size))
        continue
      }
      const parts: RecordParts[] = []
      const entries: number[] = []
      let hasLooseKey = false
      const cursor = walk.records()
      while (cursor.next()) {
        const rev = revs[record++]!
        if (!(rev >= 0)) continue
        parts.push(partsAt(cursor))
        entries.push(this.#entryOf[kept++]!)
        if (rev === 0 && cursor.keyLength >= 0) hasLooseKey = true
      }
      const isWhole = parts.length === batch.recordCount(bytes, at) && batch.codec(bytes, at) === 0
      const original = bytes.subarray(at, at + walk.size)
      for (const piece of piecesOf(bytes, at, parts)) {
        const from = piece.first === 0 ? 0 : parts[piece.first]!.offsetDelta
        const isOdd = hasLooseKey || (isWhole && !piece.bytes.equals(original))
        const records = parts.slice(piece.first, piece.end).map((part, i) => ({
          entry: entries[piece.first + i]!,
          timestampDelta: part.timestampDelta,
          offsetDelta: part.offsetDelta - from,
          headers: part.headers,
        }))
        if (isOdd && isWhole) add(headerOf(bytes, at), records, original)
        else add(piece.header, records, isOdd ? piece.bytes : undefined)
        slice += piece.header.size
      }
    }
    flush()
  }

  /** Enters a batch into the ordinary indexes, as a segment does when it is appended to. */
  #note({ baseOffset, size, maxTimestamp }: FrameHeader): void {
    const { lengthMax = packLengthMax } = this.#options
    if (this.#length + size > lengthMax) throw PackTooLarge.of(this.#source, lengthMax)
    const relative = baseOffset - this.#source.baseOffset
    if (this.#unindexedBytes >= (this.#options.indexIntervalBytes ?? indexIntervalDefault)) {
      this.#offsetIndex.add(relative, this.#length)
      this.#timeIndex.add(this.#maxTimestamp, relative - 1)
      this.#unindexedBytes = 0
    }
    this.#unindexedBytes += size
    this.#length += size
    this.#batchCount++
    if (maxTimestamp > this.#maxTimestamp) this.#maxTimestamp = maxTimestamp
  }

  finish(): Packed {
    const { scan } = this
    const { baseOffset, nextOffset } = this.#source
    const facts: PackFacts = {
      v: formatVersion,
      baseOffset,
      nextOffset,
      length: this.#length,
      fullBytes: scan.fullBytes,
      entryCount: scan.count,
      batchCount: this.#batchCount,
      maxTimestamp: this.#maxTimestamp,
      pointers: this.#options.pointers,
      unparsed: this.#scalars.unparsed,
    }
    const [hashes, ordinals] = sortedWithOrdinals(scan.keys.hashes.items)
    const sections: Section[] = []
    sections[sectionOf.facts] = Buffer.from(JSON.stringify(facts))
    sections[sectionOf.values] = this.#values.rows.items
    sections[sectionOf.entries] = this.#entries.rows.items
    sections[sectionOf.keys] = this.#keys.rows.items
    sections[sectionOf.frames] = this.#frames.rows.items
    sections[sectionOf.hashes] = hashes
    sections[sectionOf.ordinals] = ordinals
    sections[sectionOf.firsts] = this.#firstEntries
    sections[sectionOf.newest] = this.#newestRevs
    writeFooter(this.#output, [...sections, ...this.#scalars.sections()])
    return {
      baseOffset,
      nextOffset,
      virtualLength: this.#length,
      storedBytes: this.#output.position,
      fullBytes: scan.fullBytes,
      maxTimestamp: this.#maxTimestamp,
      offsetEntries: this.#offsetIndex.entries.slice(),
      timeEntries: this.#timeIndex.entries.slice(),
      aborted: this.#options.aborted,
      keyCount: scan.keys.count,
      entryCount: scan.count,
      batchCount: this.#batchCount,
      unparsed: this.#scalars.unparsed,
    }
  }
}
