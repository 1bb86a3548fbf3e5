// All indexes of a sealed segment in one file, so that opening a segment reads nothing but this.
//
//   0 'TWX2' | 4 uint32 CRC-32C of byte 8 to the end | 8 float64 bytes of the segment | 16 float64 next offset, relative
//   24 float64 largest timestamp | 32 int32 offset entries | 36 int32 time entries | 40 int32 aborted transactions | 44 zeros
//   48 time entries | aborted transactions | offset entries
//
//   an aborted transaction, whose marker the segment holds, in the order of markers:
//   float64 producer id | float64 first offset | float64 offset of the marker | float64 last stable offset behind it
//
// Little-endian, as every processor that runs Node is, so that the entries are used where they lie in the map. 'TWX1', from
// before there were transactions, ends its header at byte 40. A branch that shares a segment up to a bound shares this
// too: entries at or above the bound are not its own, and a transaction whose marker is there is undecided in it.

import { crc32c } from '../../protocol/crc32c.ts'
import { Corruption } from '../../protocol/errors.ts'
import type { Lease, Store } from '../storage/file.ts'
import { OffsetIndex } from './offset-index.ts'
import type { AbortedTransaction } from './open-transactions.ts'
import { TimeIndex } from './time-index.ts'

const magic = 0x32585754
const headerBytes = 48
const oldMagic = 0x31585754
const oldHeaderBytes = 40
const floatsOfAborted = 4

export type IndexContent = {
  offsets: OffsetIndex
  times: TimeIndex
  aborted: readonly AbortedTransaction[]
  /** Bytes of the segment that the index describes. */
  segmentBytes: number
  /** Offset after the segment's last record, relative to its base. */
  nextOffset: number
  maxTimestamp: number
}

const viewOf = (entries: Int32Array | Float64Array): Buffer =>
  Buffer.from(entries.buffer as ArrayBuffer, entries.byteOffset, entries.byteLength)

export function encodeIndex({ offsets, times, aborted, segmentBytes, nextOffset, maxTimestamp }: IndexContent): Buffer {
  const header = Buffer.alloc(headerBytes)
  header.writeUInt32LE(magic, 0)
  header.writeDoubleLE(segmentBytes, 8)
  header.writeDoubleLE(nextOffset, 16)
  header.writeDoubleLE(maxTimestamp, 24)
  header.writeInt32LE(offsets.count, 32)
  header.writeInt32LE(times.count, 36)
  header.writeInt32LE(aborted.length, 40)
  const transactions = Float64Array.from(
    aborted.flatMap(({ producerId, firstOffset, lastOffset, lastStableOffset }) => [
      producerId,
      firstOffset,
      lastOffset,
      lastStableOffset,
    ]),
  )
  const file = Buffer.concat([header, viewOf(times.entries), viewOf(transactions), viewOf(offsets.entries)])
  file.writeUInt32LE(crc32c(file, 8, file.length), 4)
  return file
}

/** A system maps so many files at a time, and whoever has a hundred thousand segments has small ones: up to here they are read. */
const readBytesMax = 16 * 1024

/** The bytes of an index, until they are released; undefined where there is none. */
export function openIndex(store: Store, path: string): Lease | undefined {
  if (!store.exists(path)) return undefined
  if (store.sizeOf(path) <= readBytesMax) {
    const bytes = store.load(path)
    // In memory of its own, where nothing else is kept with it.
    return bytes && { bytes: Buffer.from(new Uint8Array(bytes).buffer), release: () => {} }
  }
  const file = store.open(path, 0)
  const lease = file.read(0, file.length)
  const release = (): void => {
    lease.release()
    file.close()
  }
  return { bytes: lease.bytes, release }
}

/** Throws Corruption where the bytes are not a whole index. The entries stay views of `file`. */
export function decodeIndex(file: Buffer): IndexContent {
  if (file.length < oldHeaderBytes) throw new Corruption('not an index file')
  const isOld = file.readUInt32LE(0) === oldMagic
  if (!isOld && (file.length < headerBytes || file.readUInt32LE(0) !== magic)) {
    throw new Corruption('not an index file')
  }
  if (file.readUInt32LE(4) !== crc32c(file, 8, file.length)) throw new Corruption('the index fails its checksum')
  const offsetCount = file.readInt32LE(32)
  const timeCount = file.readInt32LE(36)
  const abortedCount = isOld ? 0 : file.readInt32LE(40)
  if (offsetCount < 0 || timeCount < 0 || abortedCount < 0) throw new Corruption('the index counts below nothing')
  const timesAt = isOld ? oldHeaderBytes : headerBytes
  const abortedAt = timesAt + 16 * timeCount
  const offsetsAt = abortedAt + 8 * floatsOfAborted * abortedCount
  if (file.length !== offsetsAt + 8 * offsetCount) throw new Corruption('the index has not the length it announces')
  const aligned = file.byteOffset % 8 === 0 ? file : Buffer.from(Uint8Array.from(file).buffer)
  return {
    offsets: new OffsetIndex(new Int32Array(aligned.buffer, aligned.byteOffset + offsetsAt, 2 * offsetCount)),
    times: new TimeIndex(new Float64Array(aligned.buffer, aligned.byteOffset + timesAt, 2 * timeCount)),
    aborted: Array.from({ length: abortedCount }, (_, i) => readAborted(file, abortedAt + 8 * floatsOfAborted * i)),
    segmentBytes: file.readDoubleLE(8),
    nextOffset: file.readDoubleLE(16),
    maxTimestamp: file.readDoubleLE(24),
  }
}

const readAborted = (file: Buffer, at: number): AbortedTransaction => ({
  producerId: file.readDoubleLE(at),
  firstOffset: file.readDoubleLE(at + 8),
  lastOffset: file.readDoubleLE(at + 16),
  lastStableOffset: file.readDoubleLE(at + 24),
})
