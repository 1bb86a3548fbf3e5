// The file as a whole, and its footer.
//
//      0  'TWP1', 4 zeros
//      8  blocks (pack-blocks.ts) of four kinds, in the order in which they filled:
//           values    what is stored of the values of entries (pack-values.ts): about 64 KiB of one key, 16 KiB of many, for who reads in
//                     the order of the log needs another block for every record
//           entries   1,024 entries each: what is stored of a revision and how (pack-entries.ts)
//           keys      keys by ordinal, about 16 KiB each: length varint, bytes
//           frames    batches in the order of the log, without values and keys: which entry each record is (pack-frames.ts)
//      …  zeros up to a multiple of 8
//      F  footer: sections, each padded to a multiple of 8, little-endian, used where they lie in the map
//           facts      JSON: what is told of the pack as a whole (PackFacts)
//           rows       of values, entries, keys, frames: one section for each (Float64Array)
//           hashes     Float64Array: of all keys, ascending
//           ordinals   Uint32Array: the key of each hash
//           firsts     Uint32Array: by ordinal the first entry of the key, and one more for the end of the last
//           newest     Float64Array: by ordinal the number of the newest revision
//           two for each pointer of the JSON index (pack-scalars.ts): hashes of scalars, entries
//      …  trailer: float64 F | float64 bytes of the footer | float64 sections | their lengths, float64 each |
//                  uint32 CRC-32C of footer and trailer up to here | uint32 bytes of the trailer | 'TWP1'
//
// An entry is a revision of a key, or a record that is none. Entries are numbered through the pack: key by key in the order in which
// keys came up in the log, oldest revision first, then the records that are no revision. So whatever belongs to a key lies together,
// entry - 1 is the revision before, and a log in which each key comes once is stored in its own order.

import { crc32c } from '../../protocol/crc32c.ts'
import { Corruption } from '../../protocol/errors.ts'
import type { File } from '../storage/file.ts'
import { type PackOutput, readExactly } from './pack-blocks.ts'

export const magic = Buffer.from('TWP1')
export const head = Buffer.concat([magic, Buffer.alloc(4)])
/** Checksum, length, magic. */
const endBytes = 12
const trailerFixedBytes = 24 + endBytes
const sectionsMax = 4096

/** A version that a reader does not know is refused, not guessed at. */
export const formatVersion = 1

export type PackFacts = {
  v: number
  baseOffset: number
  nextOffset: number
  /** Bytes of the rebuilt batches. */
  length: number
  /** Bytes of the records as they were, unpacked. */
  fullBytes: number
  entryCount: number
  batchCount: number
  maxTimestamp: number
  pointers: readonly string[]
  unparsed: number
}

export type Section = Float64Array | Uint32Array | Buffer

/** Sections that stand at the same place in every pack. */
export const sectionOf = {
  facts: 0,
  values: 1,
  entries: 2,
  keys: 3,
  frames: 4,
  hashes: 5,
  ordinals: 6,
  firsts: 7,
  newest: 8,
  /** Two for each pointer. */
  pointers: 9,
} as const

const padding = (byteCount: number): number => (8 - (byteCount % 8)) % 8

export function writeFooter(output: PackOutput, sections: readonly Section[]): void {
  const parts: Buffer[] = []
  output.write(Buffer.alloc(padding(output.position)))
  const start = output.position
  const lengths: number[] = []
  for (const section of sections) {
    const bytes = Buffer.from(section.buffer as ArrayBuffer, section.byteOffset, section.byteLength)
    lengths.push(bytes.length)
    parts.push(bytes, Buffer.alloc(padding(bytes.length)))
  }
  const footerBytes = parts.reduce((sum, { length }) => sum + length, 0)
  const trailer = Buffer.alloc(trailerFixedBytes + 8 * lengths.length)
  ;[start, footerBytes, lengths.length, ...lengths].forEach((number, i) => {
    trailer.writeDoubleLE(number, 8 * i)
  })
  const checked = trailer.length - endBytes
  let crc = 0
  for (const part of parts) if (part.length > 0) crc = crc32c(part, 0, part.length, crc)
  trailer.writeUInt32LE(crc32c(trailer, 0, checked, crc), checked)
  trailer.writeUInt32LE(trailer.length, checked + 4)
  magic.copy(trailer, checked + 8)
  for (const part of parts) if (part.length > 0) output.write(part)
  output.write(trailer)
}

export type Footer = {
  facts: PackFacts
  floats(section: number): Float64Array
  integers(section: number): Uint32Array
  release(): void
}

/** Throws Corruption where the file is no whole pack. Its sections are views, good until `release`. */
export function readFooter(file: File): Footer {
  const bad = (why: string): Corruption => new Corruption(`${file.path} is no whole pack: ${why}`)
  const exactly = (position: number, byteCount: number) => {
    try {
      return readExactly(file, position, byteCount)
    } catch {
      throw bad('it is cut')
    }
  }
  if (file.length < head.length + trailerFixedBytes) throw bad('it is too short')
  const first = exactly(0, head.length)
  const isPack = first.bytes.equals(head)
  first.release()
  if (!isPack) throw bad('it does not begin as one')
  const last = exactly(file.length - endBytes, endBytes)
  const crc = last.bytes.readUInt32LE(0)
  const trailerBytes = last.bytes.readUInt32LE(4)
  const isEnd = last.bytes.subarray(8).equals(magic)
  last.release()
  if (!isEnd) throw bad('it does not end as one')
  const trailerAt = file.length - trailerBytes
  if (trailerBytes < trailerFixedBytes || trailerAt < head.length) throw bad('its trailer has no place in it')
  if (trailerBytes > trailerFixedBytes + 8 * sectionsMax) throw bad('its trailer is too long')
  const trailer = exactly(trailerAt, trailerBytes)
  const numbers = Array.from({ length: (trailerBytes - endBytes) / 8 }, (_, i) => trailer.bytes.readDoubleLE(8 * i))
  const trailerCopy = Buffer.from(trailer.bytes)
  trailer.release()
  const [start = -1, footerBytes = -1, sectionCount = -1, ...lengths] = numbers
  const isPlaced = start >= head.length && start % 8 === 0 && start + footerBytes === trailerAt
  if (!isPlaced || sectionCount !== lengths.length) throw bad('its footer has no place in it')
  const lease = exactly(start, footerBytes)
  try {
    const seen = crc32c(trailerCopy, 0, trailerBytes - endBytes, crc32c(lease.bytes))
    if (seen !== crc) throw bad('its footer fails its checksum')
    return parse(lease.bytes, lengths, lease.release, bad)
  } catch (cause) {
    lease.release()
    throw cause
  }
}

function parse(bytes: Buffer, lengths: number[], release: () => void, bad: (why: string) => Corruption): Footer {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : Buffer.from(Uint8Array.from(bytes).buffer)
  const starts: number[] = []
  let at = 0
  for (const length of lengths) {
    starts.push(at)
    at += length + padding(length)
  }
  if (at !== aligned.length || lengths.length < sectionOf.pointers) throw bad('its sections do not fill its footer')
  const facts = JSON.parse(aligned.toString('utf8', 0, lengths[sectionOf.facts])) as PackFacts
  if (facts.v !== formatVersion) throw bad(`it has the version ${facts.v}`)
  const placed = (section: number): [ArrayBuffer, number, number] => [
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset + starts[section]!,
    lengths[section]!,
  ]
  return {
    facts,
    floats: (section) => {
      const [buffer, start, length] = placed(section)
      return new Float64Array(buffer, start, length / 8)
    },
    integers: (section) => {
      const [buffer, start, length] = placed(section)
      return new Uint32Array(buffer, start, length / 4)
    },
    release,
  }
}
