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
//      …  guard (pack-guard.ts), which the footer is mended by
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
import { guardBytes, guardOf, mend } from './pack-guard.ts'

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
  const lengths: number[] = []
  for (const section of sections) {
    const bytes = Buffer.from(section.buffer as ArrayBuffer, section.byteOffset, section.byteLength)
    lengths.push(bytes.length)
    parts.push(bytes, Buffer.alloc(padding(bytes.length)))
  }
  const footer = Buffer.concat(parts)
  const trailer = Buffer.alloc(trailerFixedBytes + 8 * lengths.length)
  const start = output.position + guardBytes(footer.length, trailer.length)
  ;[start, footer.length, lengths.length, ...lengths].forEach((number, i) => {
    trailer.writeDoubleLE(number, 8 * i)
  })
  const checked = trailer.length - endBytes
  trailer.writeUInt32LE(checksumOf(footer, trailer), checked)
  trailer.writeUInt32LE(trailer.length, checked + 4)
  magic.copy(trailer, checked + 8)
  for (const part of [guardOf(footer, trailer), footer, trailer]) output.write(part)
}

const checksumOf = (footer: Buffer, trailer: Buffer): number =>
  crc32c(trailer, 0, trailer.length - endBytes, crc32c(footer))

export type Footer = {
  facts: PackFacts
  floats(section: number): Float64Array
  integers(section: number): Uint32Array
  release(): void
  /** What is wrong with it in the file, where it had to be mended. */
  readonly damage: string | undefined
}

type Bad = (why: string) => Corruption

/** Throws Corruption where the file is no whole pack, nor to be mended. Its sections are views, good until `release`. */
export function readFooter(file: File): Footer {
  const bad: Bad = (why) => new Corruption(`${file.path} is no whole pack: ${why}`)
  try {
    return readWhole(file, bad)
  } catch (cause) {
    const mended = cause instanceof Corruption ? mend(file) : undefined
    if (mended === undefined) throw cause
    const { footer, trailer } = mended
    if (checksumOf(footer, trailer) !== trailer.readUInt32LE(trailer.length - endBytes)) throw cause
    const [, , , ...lengths] = numbersIn(trailer)
    return parse(footer, lengths, () => {}, bad, (cause as Corruption).message)
  }
}

function readWhole(file: File, bad: Bad): Footer {
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
  const trailerCopy = Buffer.from(trailer.bytes)
  trailer.release()
  const [start = -1, footerBytes = -1, sectionCount = -1, ...lengths] = numbersIn(trailerCopy)
  const isPlaced = start >= head.length && start % 8 === 0 && start + footerBytes === trailerAt
  if (!isPlaced || sectionCount !== lengths.length) throw bad('its footer has no place in it')
  const lease = exactly(start, footerBytes)
  try {
    if (checksumOf(lease.bytes, trailerCopy) !== crc) throw bad('its footer fails its checksum')
    return parse(lease.bytes, lengths, lease.release, bad, undefined)
  } catch (cause) {
    lease.release()
    throw cause
  }
}

/** Where the footer begins, its bytes, how many sections, their lengths. */
const numbersIn = (trailer: Buffer): number[] =>
  Array.from({ length: (trailer.length - endBytes) / 8 }, (_, i) => trailer.readDoubleLE(8 * i))

function parse(bytes: Buffer, lengths: number[], release: () => void, bad: Bad, damage: string | undefined): Footer {
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
    damage,
  }
}
