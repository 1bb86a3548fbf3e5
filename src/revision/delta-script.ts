// What a delta says, apart from how VCDIFF writes it down: which pieces are copied, and the bytes between them. Packs keep deltas so:
// numbers that mean the same lie together and deflate to two thirds, values are made of them without decoding, and VCDIFF is written
// again for whoever asks for it (encode-delta.ts), byte for byte as it was.

import { DeltaError } from './decode-delta.ts'

/** Copies in the order of the target: where to, where from and how much. Addresses count through the source, then the target. */
export type Copies = {
  readonly starts: Int32Array
  readonly addresses: Int32Array
  readonly lengths: Int32Array
  readonly count: number
}

/** `starts` count from the target's beginning. `added`: the bytes in no copy. */
export type DeltaScript = Copies & { readonly added: Buffer }

/** Shorter pieces are copied byte by byte: asking for the bytes between costs more than moving them. */
const loopMax = 32
/** Small values share memory: a value lives about as long as its neighbours, and memory of its own costs more than the value. */
const sharedBytes = 128 * 1024
const sharedMax = 16 * 1024
let shared = Buffer.alloc(0)
let sharedUsed = 0

export function allocate(length: number): Buffer {
  if (length > sharedMax) return Buffer.allocUnsafeSlow(length)
  if (sharedUsed + length > shared.length) {
    shared = Buffer.allocUnsafeSlow(sharedBytes)
    sharedUsed = 0
  }
  sharedUsed += length
  return shared.subarray(sharedUsed - length, sharedUsed)
}

export function copyTo(target: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): void {
  // A plain view is cheaper than Buffer's, and nobody sees it.
  if (end - start > loopMax) target.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start), at)
  else for (let i = start; i < end; i++) target[at + i - start] = bytes[i]!
}

/** The value that a script makes of a source. Throws DeltaError where it makes none of this length. */
export function applyScript(source: Buffer, script: DeltaScript, length: number): Buffer {
  const { starts, addresses, lengths, count, added } = script
  const target = allocate(length)
  let filled = 0
  let from = 0
  for (let i = 0; i < count; i++) {
    const start = starts[i]!
    const address = addresses[i]!
    const addressEnd = address + lengths[i]!
    const behind = from + start - filled
    if (start < filled || start + lengths[i]! > length || behind > added.length) {
      throw new DeltaError('copies to where nothing is to be')
    }
    copyTo(target, filled, added, from, behind)
    from = behind
    // Wholly from one of the two, and never what it makes itself: our encoder writes no others.
    if (address >= 0 && addressEnd <= source.length) copyTo(target, start, source, address, addressEnd)
    else if (address >= source.length && addressEnd - source.length <= start) {
      target.copyWithin(start, address - source.length, addressEnd - source.length)
    } else throw new DeltaError('copies from where nothing is')
    filled = start + lengths[i]!
  }
  if (added.length - from !== length - filled) throw new DeltaError('adds more or less than the value lacks')
  copyTo(target, filled, added, from, added.length)
  return target
}
