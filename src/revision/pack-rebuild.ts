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
  key(ordinal: number): Buffer
  /** Bytes of its value; -1: it is null. */
  valueLength(entry: number): number
  writeValue(entry: number, into: Buffer, at: number): void
}

/** The batches of a frame from the `first` up to `end`, one behind the other. */
export function rebuild(pack: PackedParts, frame: Frame, first: number, end: number): Buffer {
  const start = frame.positions[first]!
  const bytes = Buffer.allocUnsafeSlow(frame.positions[end]! - start)
  for (let index = first; index < end; index++) {
    const at = frame.positions[index]! - start
    const verbatim = frame.verbatim(index)
    if (verbatim === undefined) writeBatch(pack, frame, index, bytes, at)
    else verbatim.copy(bytes, at)
    if (!batch.crcMatches(bytes, at)) throw damage(pack, frame, index)
  }
  return bytes
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
    const key = ordinal < 0 ? null : pack.key(ordinal)
    const valueLength = pack.valueLength(entry)
    const headerBytes = headers?.length ?? 0
    at = writeHead(bytes, at, end, frame.times[record]!, frame.offsetDeltas[record]!, key, valueLength, headerBytes)
    if (at < 0) throw damage(pack, frame, index)
    if (valueLength > 0) {
      pack.writeValue(entry, bytes, at)
      at += valueLength
    }
    if (headers === undefined) bytes[at++] = 0
    else at += headers.copy(bytes, at)
  }
  if (at !== end) throw damage(pack, frame, index)
}
