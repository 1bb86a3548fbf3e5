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

/** The value that a script makes of a source. Throws DeltaError where it makes none of this length. */
export function applyScript(source: Buffer, script: DeltaScript, length: number): Buffer {
  const { starts, addresses, lengths, count, added } = script
  const target = Buffer.allocUnsafeSlow(length)
  let filled = 0
  let from = 0
  for (let i = 0; i < count; i++) {
    const start = starts[i]!
    const size = lengths[i]!
    const address = addresses[i]!
    const end = start + size
    const behind = from + start - filled
    if (start < filled || end > length || behind > added.length)
      throw new DeltaError('copies to where nothing is to be')
    if (start > filled) added.copy(target, filled, from, behind)
    from = behind
    // Wholly from one of the two, and never what it makes itself: our encoder writes no others.
    if (address >= 0 && address + size <= source.length) source.copy(target, start, address, address + size)
    else if (address >= source.length && address - source.length + size <= start) {
      target.copyWithin(start, address - source.length, address - source.length + size)
    } else throw new DeltaError('copies from where nothing is')
    filled = end
  }
  if (added.length - from !== length - filled) throw new DeltaError('adds more or less than the value lacks')
  added.copy(target, filled, from)
  return target
}
