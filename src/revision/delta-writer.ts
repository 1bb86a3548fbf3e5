// Copies, and the bytes between them, as VCDIFF writes them down: in the fewest bytes that the default code table has for them.

import type { Walk } from '../log/walk.ts'
import type { Copies } from './delta-script.ts'
import {
  AddressCache,
  code,
  fromSource,
  hereMode,
  magic,
  nearCount,
  nearMode,
  sameCount,
  sameMode,
  selfMode,
  sizeBytes,
  writeSize,
} from './vcdiff.ts'

/** `starts` count from the beginning of the source. `copied`: bytes of the target that are in one. */
export type PlacedCopies = Copies & { readonly copied: number }

const heldMax = 1024 * 1024

export class DeltaWriter {
  readonly #cache = new AddressCache()
  #instructions = new Uint8Array(1024)
  #addresses = new Uint8Array(1024)
  #instructionsEnd = 0
  #addressesEnd = 0
  /** A COPY of 4 stands last: an ADD of 1 may share its byte. The codes of an ADD before a COPY are not used, see `code`. */
  #lastCopied4 = false

  /** Makes the sections, and says how long the delta is. */
  prepare(copies: PlacedCopies, sourceLength: number, targetLength: number): number {
    this.#begin(copies)
    return this.#end(copies, this.#writeCopies(copies, 0, copies.count, sourceLength), sourceLength, targetLength)
  }

  /** The same, which stops after so many copies. */
  *prepareInSlices(copies: PlacedCopies, sourceLength: number, targetLength: number, slice: number): Walk<number> {
    this.#begin(copies)
    let at = sourceLength
    for (let first = 0; first < copies.count; first += slice) {
      if (first > 0) yield
      at = this.#writeCopies(copies, first, Math.min(copies.count, first + slice), at)
    }
    return this.#end(copies, at, sourceLength, targetLength)
  }

  #begin({ count }: PlacedCopies): void {
    // An ADD and a COPY are two bytes with two sizes of up to 5, and there is an ADD after the last; an address has up to 5.
    if (this.#instructions.length < count * 12 + 6) this.#instructions = new Uint8Array(count * 16 + 1024)
    if (this.#addresses.length < count * 5) this.#addresses = new Uint8Array(count * 6 + 1024)
    this.#instructionsEnd = 0
    this.#addressesEnd = 0
    this.#lastCopied4 = false
    this.#cache.clear()
  }

  #end({ copied }: PlacedCopies, at: number, sourceLength: number, targetLength: number): number {
    const end = sourceLength + targetLength
    if (end > at) this.#writeAdd(end - at)
    const windowSize = this.#windowBytes(targetLength, targetLength - copied)
    const segmentBytes = sourceLength > 0 ? sizeBytes(sourceLength) + 1 : 0
    return magic.length + 2 + segmentBytes + sizeBytes(windowSize) + windowSize
  }

  /** The sizes, Delta_Indicator and the sections. */
  #windowBytes(targetLength: number, added: number): number {
    const sizes = [targetLength, added, this.#instructionsEnd, this.#addressesEnd]
    return sizes.reduce((sum, size) => sum + sizeBytes(size), 1 + added + this.#instructionsEnd + this.#addressesEnd)
  }

  /** What comes before the bytes to add; answers where those begin. */
  writeFront(delta: Uint8Array, { copied }: PlacedCopies, sourceLength: number, targetLength: number): number {
    const added = targetLength - copied
    delta.set(magic)
    delta[magic.length] = 0
    let at = magic.length + 1
    delta[at++] = sourceLength > 0 ? fromSource : 0
    if (sourceLength > 0) {
      at = writeSize(delta, at, sourceLength)
      at = writeSize(delta, at, 0)
    }
    at = writeSize(delta, at, this.#windowBytes(targetLength, added))
    at = writeSize(delta, at, targetLength)
    delta[at++] = 0
    for (const size of [added, this.#instructionsEnd, this.#addressesEnd]) at = writeSize(delta, at, size)
    return at
  }

  /** What comes behind them. */
  writeEnd(delta: Uint8Array, at: number): void {
    delta.set(this.#instructions.subarray(0, this.#instructionsEnd), at)
    delta.set(this.#addresses.subarray(0, this.#addressesEnd), at + this.#instructionsEnd)
  }

  /** Lets go of what only a large value needed. */
  release(): void {
    if (this.#instructions.length > heldMax) this.#instructions = new Uint8Array(1024)
    if (this.#addresses.length > heldMax) this.#addresses = new Uint8Array(1024)
  }

  /** From where the copy before ended; answers where the last one does. */
  #writeCopies({ starts, addresses, lengths }: PlacedCopies, first: number, end: number, from: number): number {
    let at = from
    for (let i = first; i < end; i++) {
      const start = starts[i]!
      if (start > at) this.#writeAdd(start - at)
      this.#writeCopy(lengths[i]!, this.#writeAddress(addresses[i]!, start))
      at = start + lengths[i]!
    }
    return at
  }

  #writeAdd(size: number): void {
    const instructions = this.#instructions
    if (size === 1 && this.#lastCopied4) {
      const mode = (instructions[this.#instructionsEnd - 1]! - code.copy - 1) / code.copyRow
      instructions[this.#instructionsEnd - 1] = code.copyThenAdd + mode
    } else if (size <= code.addMax) {
      instructions[this.#instructionsEnd++] = code.add + size
    } else {
      instructions[this.#instructionsEnd++] = code.add
      this.#instructionsEnd = writeSize(instructions, this.#instructionsEnd, size)
    }
    this.#lastCopied4 = false
  }

  #writeCopy(size: number, mode: number): void {
    const instructions = this.#instructions
    this.#lastCopied4 = false
    const row = code.copy + mode * code.copyRow
    if (size >= code.copyMin && size <= code.copyMax) {
      instructions[this.#instructionsEnd++] = row + size - code.copyMin + 1
      this.#lastCopied4 = size === 4
    } else {
      instructions[this.#instructionsEnd++] = row
      this.#instructionsEnd = writeSize(instructions, this.#instructionsEnd, size)
    }
  }

  /** Writes the address in the mode that needs the fewest bytes, and answers the mode. */
  #writeAddress(address: number, here: number): number {
    const { near, same } = this.#cache
    const hash = address % (sameCount * 256)
    if (same[hash] === address) {
      this.#addresses[this.#addressesEnd++] = hash % 256
      this.#cache.add(address)
      return sameMode + Math.floor(hash / 256)
    }
    let mode: number = selfMode
    let size = address
    if (here - address < size) {
      mode = hereMode
      size = here - address
    }
    for (let i = 0; i < nearCount; i++) {
      const distance = address - near[i]!
      if (distance >= 0 && distance < size) {
        mode = nearMode + i
        size = distance
      }
    }
    this.#addressesEnd = writeSize(this.#addresses, this.#addressesEnd, size)
    this.#cache.add(address)
    return mode
  }
}
