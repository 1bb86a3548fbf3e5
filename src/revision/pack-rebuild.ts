// Batches back from a pack: a frame says what they were, entries say what was in them. The checksum of each is that of the batch as
// it was written, so what comes out is what went in or is refused.

import { DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { type Frame, writeFrameHeader } from './pack-frames.ts'
import { writeHead } from './pack-pieces.ts'

/** What a pack gives for it. */
export type PackedParts = {
  readonly path: string
  ordinalOf(entry: number): number
  keyAt(ordinal: number): { readonly bytes: Buffer; readonly start: number; readonly end: number }
  /** Bytes of its value; -1: it is null. */
  valueLength(entry: number): number
  writeValue(entry: number, into: Buffer, at: number, ordinal: number): void
}

const noKey = { bytes: Buffer.alloc(0), start: 0, end: 0 }

/** Writes the batches of a frame from the `first` up to `end`, one behind the other, to a place that has room for them. */
export function rebuild(pack: PackedParts, frame: Frame, first: number, end: number, into: Buffer, at: number): void {
  const start = at - frame.positions[first]!
  for (let index = first; index < end; index++) {
    const to = start + frame.positions[index]!
    const verbatim = frame.verbatim(index)
    if (verbatim === undefined) writeBatch(pack, frame, index, into, to)
    else verbatim.copy(into, to)
    if (!batch.crcMatches(into, to)) throw damage(pack, frame, index)
  }
}

const damage = (pack: PackedParts, frame: Frame, index: number): DamagedRecords =>
  new DamagedRecords(`${pack.path}: the batch at offset ${frame.headers[index]!.baseOffset} cannot be rebuilt from it`)

function writeBatch(pack: PackedParts, frame: Frame, index: number, bytes: Buffer, start: number): void {
  const header = frame.headers[index]!
  const end = start + header.size
  writeFrameHeader(bytes, start, header, frame.recordCount(index))
  let at = start + batch.headerBytes
  for (let record = frame.firstRecords[index]!; record < frame.firstRecords[index + 1]!; record++) {
    const entry = frame.entries[record]!
    const ordinal = pack.ordinalOf(entry)
    const headers =
      frame.bodyEnds[record]! > frame.bodyStarts[record]!
        ? frame.bodies.subarray(frame.bodyStarts[record], frame.bodyEnds[record])
        : undefined
    const key = ordinal < 0 ? noKey : pack.keyAt(ordinal)
    const keyLength = ordinal < 0 ? -1 : key.end - key.start
    const valueLength = pack.valueLength(entry)
    const headerBytes = headers?.length ?? 0
    const time = frame.times[record]!
    const offset = frame.offsetDeltas[record]!
    at = writeHead(bytes, at, end, time, offset, key.bytes, key.start, keyLength, valueLength, headerBytes)
    if (at < 0) throw damage(pack, frame, index)
    if (valueLength > 0) {
      pack.writeValue(entry, bytes, at, ordinal)
      at += valueLength
    }
    if (headers === undefined) bytes[at++] = 0
    else at += headers.copy(bytes, at)
  }
  if (at !== end) throw damage(pack, frame, index)
}
