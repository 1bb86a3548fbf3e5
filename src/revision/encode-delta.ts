// Value → delta from the value before: what the finder found, in the fewest bytes that the default code table has for it.

import { CopyFinder } from './copy-finder.ts'
import type { Copies, DeltaScript } from './delta-script.ts'
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

/** Kept from call to call: a delta of a small value costs little more than looking at it. */
const finder = new CopyFinder()
const cache = new AddressCache()
const heldMax = 1024 * 1024
let instructions = new Uint8Array(1024)
let addresses = new Uint8Array(1024)
let instructionsEnd = 0
let addressesEnd = 0
/** A COPY of 4 stands last: an ADD of 1 may share its byte. The codes of an ADD before a COPY are not used, see `code`. */
let lastCopied4 = false

/**
 * A delta that makes `target` of `source`; nothing when it would be longer than `bytesMax` (it is not always searched to the end then).
 * The empty target has one too, which not every decoder takes: whoever stores it stores it full.
 */
export function encodeDelta(
  source: Uint8Array,
  target: Uint8Array,
  bytesMax = Number.POSITIVE_INFINITY,
): Buffer<ArrayBuffer> | undefined {
  const found = finder.find(source, target, bytesMax)
  const delta = found ? write(finder, source.length, target.length, bytesMax, writeAdded) : undefined
  release()
  return delta
}

/** The same as a script, and how long the delta would be. `copyMin`: shorter copies are bytes to add. */
export function findScript(
  source: Uint8Array,
  target: Buffer,
  bytesMax: number,
  copyMin: number,
): { script: DeltaScript; deltaBytes: number } | undefined {
  if (!finder.find(source, target, bytesMax)) {
    release()
    return undefined
  }
  finder.drop(copyMin)
  const deltaBytes = prepare(finder, source.length, target.length)
  const script = deltaBytes > bytesMax ? undefined : scriptOf(source.length, target)
  release()
  return script && { script, deltaBytes }
}

/** The delta that a script stands for. */
export function encodeScript(script: DeltaScript, sourceLength: number, targetLength: number): Buffer<ArrayBuffer> {
  const { added, addresses, lengths, count } = script
  const starts = script.starts.map((start) => start + sourceLength)
  const copied = targetLength - added.length
  const writeThem = (delta: Uint8Array, at: number): number => {
    delta.set(added, at)
    return at + added.length
  }
  const delta = write({ starts, addresses, lengths, count, copied }, sourceLength, targetLength, Infinity, writeThem)!
  release()
  return delta
}

type Counted = Copies & { readonly copied: number }

function release(): void {
  finder.release()
  if (instructions.length > heldMax) instructions = new Uint8Array(1024)
  if (addresses.length > heldMax) addresses = new Uint8Array(1024)
}

/** What was found, in memory of its own. */
function scriptOf(sourceLength: number, target: Buffer): DeltaScript {
  const { count } = finder
  const starts = new Int32Array(count)
  const lengths = finder.lengths.slice(0, count)
  const added = Buffer.allocUnsafeSlow(target.length - finder.copied)
  let from = 0
  let at = 0
  for (let i = 0; i < count; i++) {
    starts[i] = finder.starts[i]! - sourceLength
    at += target.copy(added, at, from, starts[i])
    from = starts[i]! + lengths[i]!
  }
  target.copy(added, at, from)
  return { starts, addresses: finder.addresses.slice(0, count), lengths, count, added }
}

/** Makes the sections, and says how long the delta is. */
function prepare(copies: Counted, sourceLength: number, targetLength: number): number {
  writeInstructions(copies, sourceLength, targetLength)
  const windowSize = windowBytes(targetLength, targetLength - copies.copied)
  const segmentBytes = sourceLength > 0 ? sizeBytes(sourceLength) + 1 : 0
  return magic.length + 2 + segmentBytes + sizeBytes(windowSize) + windowSize
}

/** The sizes, Delta_Indicator and the sections. */
function windowBytes(targetLength: number, added: number): number {
  const sizes = [targetLength, added, instructionsEnd, addressesEnd]
  return sizes.reduce((sum, size) => sum + sizeBytes(size), 1 + added + instructionsEnd + addressesEnd)
}

/** What comes before the sections, and the bytes to add between the copies: in the order of the window. */
function write(
  copies: Counted,
  sourceLength: number,
  targetLength: number,
  bytesMax: number,
  writeAdded: (delta: Uint8Array, start: number, sourceLength: number, targetLength: number) => number,
): Buffer<ArrayBuffer> | undefined {
  const length = prepare(copies, sourceLength, targetLength)
  if (length > bytesMax) return undefined
  const added = targetLength - copies.copied
  const delta = Buffer.allocUnsafeSlow(length)
  delta.set(magic)
  delta[magic.length] = 0
  let at = magic.length + 1
  delta[at++] = sourceLength > 0 ? fromSource : 0
  if (sourceLength > 0) {
    at = writeSize(delta, at, sourceLength)
    at = writeSize(delta, at, 0)
  }
  at = writeSize(delta, at, windowBytes(targetLength, added))
  at = writeSize(delta, at, targetLength)
  delta[at++] = 0
  for (const size of [added, instructionsEnd, addressesEnd]) at = writeSize(delta, at, size)
  at = writeAdded(delta, at, sourceLength, targetLength)
  delta.set(instructions.subarray(0, instructionsEnd), at)
  delta.set(addresses.subarray(0, addressesEnd), at + instructionsEnd)
  return delta
}

/** Straight from what the finder holds. */
function writeAdded(delta: Uint8Array, start: number, sourceLength: number, targetLength: number): number {
  const { bytes, starts, lengths, count } = finder
  let at = start
  let from = sourceLength
  for (let i = 0; i <= count; i++) {
    const to = i < count ? starts[i]! : sourceLength + targetLength
    if (to - from > 32) delta.set(bytes.subarray(from, to), at)
    else for (let k = from; k < to; k++) delta[at + k - from] = bytes[k]!
    at += to - from
    if (i < count) from = to + lengths[i]!
  }
  return at
}

function writeInstructions(copies: Copies, sourceLength: number, targetLength: number): void {
  const { starts, lengths, count } = copies
  const from = copies.addresses
  // An ADD and a COPY are two bytes with two sizes of up to 5, and there is an ADD after the last; an address has up to 5.
  if (instructions.length < count * 12 + 6) instructions = new Uint8Array(count * 16 + 1024)
  if (addresses.length < count * 5) addresses = new Uint8Array(count * 6 + 1024)
  instructionsEnd = 0
  addressesEnd = 0
  lastCopied4 = false
  cache.clear()
  let at = sourceLength
  for (let i = 0; i < count; i++) {
    const start = starts[i]!
    if (start > at) writeAdd(start - at)
    writeCopy(lengths[i]!, writeAddress(from[i]!, start))
    at = start + lengths[i]!
  }
  const end = sourceLength + targetLength
  if (end > at) writeAdd(end - at)
}

function writeAdd(size: number): void {
  if (size === 1 && lastCopied4) {
    const mode = (instructions[instructionsEnd - 1]! - code.copy - 1) / code.copyRow
    instructions[instructionsEnd - 1] = code.copyThenAdd + mode
  } else if (size <= code.addMax) {
    instructions[instructionsEnd++] = code.add + size
  } else {
    instructions[instructionsEnd++] = code.add
    instructionsEnd = writeSize(instructions, instructionsEnd, size)
  }
  lastCopied4 = false
}

function writeCopy(size: number, mode: number): void {
  lastCopied4 = false
  const row = code.copy + mode * code.copyRow
  if (size >= code.copyMin && size <= code.copyMax) {
    instructions[instructionsEnd++] = row + size - code.copyMin + 1
    lastCopied4 = size === 4
  } else {
    instructions[instructionsEnd++] = row
    instructionsEnd = writeSize(instructions, instructionsEnd, size)
  }
}

/** Writes the address in the mode that needs the fewest bytes, and answers the mode. */
function writeAddress(address: number, here: number): number {
  const { near, same } = cache
  const hash = address % (sameCount * 256)
  if (same[hash] === address) {
    addresses[addressesEnd++] = hash % 256
    cache.add(address)
    return sameMode + Math.floor(hash / 256)
  }
  let mode = selfMode
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
  addressesEnd = writeSize(addresses, addressesEnd, size)
  cache.add(address)
  return mode
}
