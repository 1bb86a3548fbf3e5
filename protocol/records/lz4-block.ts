// One block of lz4, unpacked: lz4js takes a millisecond for a kilobyte, and the native package takes fresh memory for everything it unpacks.
//
//   { token | [more of the literals' length] | literals | how far back uint16 LE | [more of the match's length] }*
//   token: bits 4-7 literals, bits 0-3 length of the match - 4; 15: bytes follow that are added, up to one below 255
//   The last sequence ends with its literals.

import { CompressionError } from './compression-error.ts'
import type { Pieces } from './room.ts'

const matchMin = 4
const long = 15

const bad = (why: string): CompressionError => new CompressionError(`not an lz4 block: ${why}`)
const cut = (): CompressionError => bad('it is cut short')

/** What the bytes from `at` on add to a length. */
function moreOf(bytes: Buffer, at: number, end: number): number {
  let more = 0
  for (let i = at; i < end; i++) {
    more += bytes[i]!
    if (bytes[i] !== 255) return more
  }
  throw cut()
}

/** How many they are. */
const bytesOf = (more: number): number => Math.floor(more / 255) + 1

export type Lz4Block = {
  /** Where it lies in its frame. */
  start: number
  length: number
  /** The most it may unpack to. */
  outputMax: number
}

/** Unpacks a block to `filled`, and answers where it ends. Matches reach back to `windowStart`. There is room for `outputMax`. */
export function uncompressLz4Block(
  frame: Pieces,
  { start, length, outputMax }: Lz4Block,
  output: Pieces,
  filled: number,
  windowStart: number,
): number {
  const { bytes } = frame
  const end = start + length
  const outputEnd = filled + outputMax
  let at = start
  while (true) {
    if (at >= end) throw cut()
    const token = bytes[at++]!
    let size = token >>> 4
    if (size === long) {
      const more = moreOf(bytes, at, end)
      size += more
      at += bytesOf(more)
    }
    if (size > end - at) throw bad('literals are longer than what is left')
    if (size > outputEnd - filled) throw bad('it exceeds the declared size')
    if (size > 0) output.take(filled, frame, at, size)
    at += size
    filled += size
    if (at === end) return filled
    if (end - at < 2) throw cut()
    const back = bytes[at]! | (bytes[at + 1]! << 8)
    at += 2
    if (back === 0 || back > filled - windowStart) throw bad('a match begins where nothing is')
    size = (token & 15) + matchMin
    if (size === long + matchMin) {
      const more = moreOf(bytes, at, end)
      size += more
      at += bytesOf(more)
    }
    if (size > outputEnd - filled) throw bad('it exceeds the declared size')
    output.repeat(filled, back, size)
    filled += size
  }
}
