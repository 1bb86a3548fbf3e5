// What a pack's footer is mended by: it stands in front of it, and nobody looks at it as long as footer and trailer are whole.
//
// Without its footer a pack is bytes. Its index of keys could be made anew, but where blocks begin and end, what their checksums are and
// which entries belong to one key stands nowhere else. A second footer would take as much room as all that; this takes a fourteenth, and
// gives back 512 bytes wherever they are lost, or as many times 512 in a row as there are pieces of parity.
//
//      0  'TWG1' | uint32 bytes of the guard | uint32 bytes of the trailer | the trailer once more
//      …  uint32 of each piece of the footer, 512 bytes: its CRC-32C
//      …  uint32 CRC-32C of the guard up to here | zeros up to a multiple of 8
//      …  pieces of parity: the first one is the XOR of the footer's first piece and every n-th from there on, where n is how many
//         pieces of parity there are; and so on
//      F  footer

import { crc32c } from '../../protocol/crc32c.ts'
import { borrow, type File } from '../storage/file.ts'

const magic = Buffer.from('TWG1')
const headBytes = 12
const pieceBytes = 512
const piecesPerParity = 16
/** A guard is looked for in so many bytes at a time, at multiples of 8. */
const windowBytes = 256 * 1024

const aligned = (byteCount: number): number => Math.ceil(byteCount / 8) * 8

/** Where things are in a guard. */
function planOf(footerBytes: number, trailerBytes: number) {
  const pieces = Math.ceil(footerBytes / pieceBytes)
  const parities = Math.ceil(pieces / piecesPerParity)
  const checksumsAt = headBytes + trailerBytes
  const checkedBytes = checksumsAt + 4 * pieces
  const parityAt = aligned(checkedBytes + 4)
  return { pieces, parities, checksumsAt, checkedBytes, parityAt, byteCount: parityAt + parities * pieceBytes }
}

export const guardBytes = (footerBytes: number, trailerBytes: number): number =>
  planOf(footerBytes, trailerBytes).byteCount

export function guardOf(footer: Buffer, trailer: Buffer): Buffer {
  const { pieces, parities, checksumsAt, checkedBytes, parityAt, byteCount } = planOf(footer.length, trailer.length)
  const guard = Buffer.alloc(byteCount)
  magic.copy(guard)
  guard.writeUInt32LE(byteCount, 4)
  guard.writeUInt32LE(trailer.length, 8)
  trailer.copy(guard, headBytes)
  for (let piece = 0; piece < pieces; piece++) {
    const bytes = pieceOf(footer, piece)
    guard.writeUInt32LE(crc32c(bytes), checksumsAt + 4 * piece)
    mix(guard, parityAt + (piece % parities) * pieceBytes, bytes)
  }
  guard.writeUInt32LE(crc32c(guard, 0, checkedBytes), checkedBytes)
  return guard
}

const pieceOf = (footer: Buffer, piece: number): Buffer => footer.subarray(piece * pieceBytes, (piece + 1) * pieceBytes)

function mix(into: Buffer, at: number, bytes: Buffer): void {
  for (let i = 0; i < bytes.length; i++) into[at + i]! ^= bytes[i]!
}

export type Guarded = { readonly footer: Buffer; readonly trailer: Buffer }

/** Footer and trailer as they were written, which their checksum has to confirm; undefined where they are not to be had any more. */
export function mend(file: File): Guarded | undefined {
  const found = findGuard(file)
  if (found === undefined) return undefined
  const { position, guard, trailer } = found
  const footerBytes = trailer.readDoubleLE(8)
  const { pieces, parities, checksumsAt, parityAt } = planOf(footerBytes, trailer.length)
  const footer = Buffer.alloc(footerBytes)
  copyOf(file, position + guard.length, footerBytes).copy(footer)
  const isWhole = (piece: number): boolean =>
    crc32c(pieceOf(footer, piece)) === guard.readUInt32LE(checksumsAt + 4 * piece)
  for (let piece = 0; piece < pieces; piece++) {
    if (isWhole(piece)) continue
    const row = piece % parities
    const start = parityAt + row * pieceBytes
    const made = Buffer.from(guard.subarray(start, start + pieceBytes))
    for (let other = row; other < pieces; other += parities) {
      if (other !== piece) mix(made, 0, pieceOf(footer, other))
    }
    made.copy(pieceOf(footer, piece))
    // Another one of the row is damaged, too.
    if (!isWhole(piece)) return undefined
  }
  return { footer, trailer }
}

type Found = { readonly position: number; readonly guard: Buffer; readonly trailer: Buffer }

/** From the end back: the trailer that says where it is may be what is damaged. */
function findGuard(file: File): Found | undefined {
  const wanted = magic.readUInt32LE()
  for (let end = aligned(file.length); end > 0; end -= windowBytes) {
    const start = Math.max(0, end - windowBytes)
    const window = copyOf(file, start, end - start)
    for (let at = aligned(window.length) - 8; at >= 0; at -= 8) {
      if (at + 4 > window.length || window.readUInt32LE(at) !== wanted) continue
      const found = guardAt(file, start + at)
      if (found !== undefined) return found
    }
  }
  return undefined
}

function guardAt(file: File, position: number): Found | undefined {
  const head = copyOf(file, position, headBytes)
  if (head.length < headBytes) return undefined
  const byteCount = head.readUInt32LE(4)
  const trailerBytes = head.readUInt32LE(8)
  if (byteCount > file.length - position || trailerBytes < 16 || headBytes + trailerBytes > byteCount) return undefined
  const guard = copyOf(file, position, byteCount)
  const trailer = guard.subarray(headBytes, headBytes + trailerBytes)
  const plan = planOf(trailer.readDoubleLE(8), trailerBytes)
  if (trailer.readDoubleLE(0) !== position + byteCount || plan.byteCount !== byteCount) return undefined
  const isWhole = crc32c(guard, 0, plan.checkedBytes) === guard.readUInt32LE(plan.checkedBytes)
  return isWhole ? { position, guard, trailer } : undefined
}

/** So many bytes, or as many as there are. */
function copyOf(file: File, position: number, byteCount: number): Buffer {
  const copy = Buffer.alloc(Math.max(0, Math.min(byteCount, file.length - position)))
  for (let done = 0; done < copy.length; ) {
    const copied = borrow(file.read(position + done, copy.length - done), (bytes) => bytes.copy(copy, done))
    if (copied === 0) return copy.subarray(0, done)
    done += copied
  }
  return copy
}
