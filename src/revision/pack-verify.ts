// Holds a new pack against what it was made of, before it takes its place: every batch is rebuilt, every record found by its offset.

import { Corruption } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { RecordCursor } from '../../protocol/records/record.ts'
import type { File, Lease } from '../storage/file.ts'
import type { Pack } from './pack.ts'
import type { PackOptions, PackSource } from './pack-job.ts'
import { partsAt, SourceWalk } from './pack-walk.ts'

const sliceBytes = 256 * 1024
const windowBytes = 1024 * 1024

/** Decodes every record again, in slices. Throws Corruption where anything differs. */
export function* verifyPack(source: PackSource, pack: Pack, revs: PackOptions['revs']): Generator<void, void, void> {
  const check = new PackCheck(pack)
  const walk = new SourceWalk(source)
  let record = 0
  let slice = 0
  while (walk.next()) {
    const { bytes, at } = walk
    slice += walk.size
    if (walk.isBare) check.batch(bytes.subarray(at, at + walk.size))
    else {
      const cursor = walk.records()
      const isPlain = batch.codec(bytes, at) === 0
      const all = batch.recordCount(bytes, at)
      const left = revs.subarray(record, record + all).filter((rev) => rev >= 0).length
      if (isPlain && left === all) check.batch(bytes.subarray(at, at + walk.size))
      slice += 2 * (cursor.bytes === bytes ? walk.size : cursor.bytes.length)
      while (cursor.next()) {
        const rev = revs[record++]!
        if (rev >= 0) check.record(bytes, at, cursor, rev)
      }
    }
    if (slice < sliceBytes) continue
    slice = 0
    yield
  }
  check.end()
}

/** Reads the rebuilt batches in step with what they should hold. */
class PackCheck {
  readonly #pack: Pack
  readonly #file: File
  /** The window, and where the batch that is looked at lies in it. */
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #size = 0
  #position = 0
  #lease: Lease | undefined
  readonly #cursor = new RecordCursor()
  /** Records of the batch that are still to be met. */
  #left = 0

  constructor(pack: Pack) {
    this.#pack = pack
    this.#file = pack.asFile()
  }

  #fail(what: string): Corruption {
    return new Corruption(`${this.#pack.path} does not hold what it was made of: ${what}`)
  }

  /** To the next rebuilt batch. */
  #next(): void {
    const at = this.#at + this.#size
    const isWhole =
      at + batch.headerBytes <= this.#bytes.length && at + batch.sizeInBytes(this.#bytes, at) <= this.#bytes.length
    if (isWhole) this.#at = at
    else {
      this.#bytes = this.#read(windowBytes)
      if (this.#bytes.length < batch.headerBytes) throw this.#fail(`it ends at byte ${this.#position}`)
      const size = batch.sizeInBytes(this.#bytes, 0)
      if (size > this.#bytes.length) this.#bytes = this.#read(size)
      this.#at = 0
    }
    this.#size = batch.sizeInBytes(this.#bytes, this.#at)
    this.#position += this.#size
    if (!batch.crcMatches(this.#bytes, this.#at)) throw this.#fail('a batch fails its checksum')
  }

  #read(byteCount: number): Buffer {
    this.#lease?.release()
    this.#lease = this.#file.read(this.#position, byteCount)
    return this.#lease.bytes
  }

  /** The next batch is exactly this one. */
  batch(bytes: Buffer): void {
    if (this.#left > 0) throw this.#fail('a batch has records that nobody wrote')
    this.#next()
    const rebuilt = this.#bytes.subarray(this.#at, this.#at + this.#size)
    if (!rebuilt.equals(bytes)) throw this.#fail(`the batch at offset ${batch.baseOffset(bytes, 0)} is another`)
    if (!batch.isControl(rebuilt, 0)) this.#enter()
  }

  #enter(): void {
    this.#left = batch.recordCount(this.#bytes, this.#at)
    this.#cursor.reset(this.#bytes, this.#at + batch.headerBytes, this.#at + this.#size, this.#left)
  }

  /** The next record is the one that `source` stands on, in the batch at `at`. */
  record(bytes: Buffer, at: number, source: RecordCursor, rev: number): void {
    if (this.#left === 0) {
      this.#next()
      this.#enter()
    }
    this.#left--
    const cursor = this.#cursor
    cursor.next()
    const offset = batch.baseOffset(bytes, at) + source.offsetDelta
    const expected = partsAt(source)
    const found = partsAt(cursor)
    const isSame =
      batch.baseOffset(this.#bytes, this.#at) + cursor.offsetDelta === offset &&
      timestampAt(this.#bytes, this.#at, cursor) === timestampAt(bytes, at, source) &&
      isEqual(found.key, expected.key) &&
      isEqual(found.value, expected.value) &&
      isEqual(found.headers ?? null, expected.headers ?? null) &&
      producerAt(this.#bytes, this.#at, cursor) === producerAt(bytes, at, source)
    if (!isSame) throw this.#fail(`the record at offset ${offset} is another`)
    this.#lookUp(offset, rev)
    // Says so where there are more bytes than records.
    if (this.#left === 0) cursor.next()
  }

  #lookUp(offset: number, rev: number): void {
    const entry = this.#pack.entryAt(offset)
    if (entry < 0) throw this.#fail(`nothing is found at offset ${offset}`)
    const found = this.#pack.entry(entry)
    if (found.offset !== offset || found.rev !== rev) throw this.#fail(`revision ${rev} at offset ${offset} is another`)
  }

  end(): void {
    this.#lease?.release()
    if (this.#left > 0 || this.#position !== this.#pack.length) throw this.#fail('it holds more')
  }
}

const isEqual = (a: Buffer | null, b: Buffer | null): boolean => (a === null || b === null ? a === b : a.equals(b))

const timestampAt = (bytes: Buffer, at: number, cursor: RecordCursor): number =>
  batch.isLogAppendTime(bytes, at)
    ? batch.maxTimestamp(bytes, at)
    : batch.baseTimestamp(bytes, at) + cursor.timestampDelta

/** Producer, epoch, sequence and what the attributes say beside the codec, as one text. */
function producerAt(bytes: Buffer, at: number, cursor: RecordCursor): string {
  const first = batch.baseSequence(bytes, at)
  const sequence = first < 0 ? first : (first + cursor.offsetDelta) & 0x7fff_ffff
  const attributes = batch.attributes(bytes, at) & ~0x07
  const epochs = `${batch.producerEpoch(bytes, at)} ${batch.partitionLeaderEpoch(bytes, at)}`
  return `${attributes} ${batch.producerId(bytes, at)} ${epochs} ${sequence}`
}
