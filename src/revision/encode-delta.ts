// Value → delta from the value before: what the finder found, as VCDIFF or as a script.

import type { Walk } from '../log/walk.ts'
import { CopyFinder } from './copy-finder.ts'
import type { DeltaScript } from './delta-script.ts'
import { DeltaWriter, type PlacedCopies } from './delta-writer.ts'

/** Kept from call to call: a delta of a small value costs little more than looking at it. */
const finder = new CopyFinder()
const writer = new DeltaWriter()
/** Two milliseconds where nothing is alike. */
const sliceBytes = 64 * 1024
/** A copy that is written down costs as much as so many bytes that are looked at. */
const bytesPerCopy = 4

/**
 * A delta that makes `target` of `source`; nothing when it would be longer than `bytesMax` (it is not always searched to the end then).
 * The empty target has one too, which not every decoder takes: whoever stores it stores it full.
 */
export function encodeDelta(
  source: Uint8Array,
  target: Uint8Array,
  bytesMax = Number.POSITIVE_INFINITY,
): Buffer<ArrayBuffer> | undefined {
  const length = finder.find(source, target, bytesMax) ? writer.prepare(finder, source.length, target.length) : Infinity
  let delta: Buffer<ArrayBuffer> | undefined
  if (length <= bytesMax && length < Infinity) {
    delta = Buffer.allocUnsafeSlow(length)
    const at = writer.writeFront(delta, finder, source.length, target.length)
    writer.writeEnd(delta, writeAdded(finder, delta, at, 0, finder.count + 1, source.length, target.length))
  }
  release()
  return delta
}

/** The same in slices, for long values: several may be under way at a time. */
export function* encodeInSlices(
  source: Uint8Array,
  target: Uint8Array,
  bytesMax: number,
  slice = sliceBytes,
): Walk<Buffer<ArrayBuffer> | undefined> {
  const finder = new CopyFinder()
  const writer = new DeltaWriter()
  const copies = Math.ceil(slice / bytesPerCopy)
  if (!(yield* finder.findInSlices(source, target, bytesMax, slice))) return undefined
  const length = yield* writer.prepareInSlices(finder, source.length, target.length, copies)
  if (length > bytesMax) return undefined
  const delta = Buffer.allocUnsafeSlow(length)
  let at = writer.writeFront(delta, finder, source.length, target.length)
  for (let copy = 0; copy <= finder.count; copy += copies) {
    yield
    at = writeAdded(finder, delta, at, copy, Math.min(copy + copies, finder.count + 1), source.length, target.length)
  }
  writer.writeEnd(delta, at)
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
  const deltaBytes = writer.prepare(finder, source.length, target.length)
  const script = deltaBytes > bytesMax ? undefined : scriptOf(source.length, target)
  release()
  return script && { script, deltaBytes }
}

/** The delta that a script stands for. */
export function encodeScript(script: DeltaScript, sourceLength: number, targetLength: number): Buffer<ArrayBuffer> {
  const { added, addresses, lengths, count } = script
  const starts = script.starts.map((start) => start + sourceLength)
  const copies: PlacedCopies = { starts, addresses, lengths, count, copied: targetLength - added.length }
  const delta = Buffer.allocUnsafeSlow(writer.prepare(copies, sourceLength, targetLength))
  const at = writer.writeFront(delta, copies, sourceLength, targetLength)
  delta.set(added, at)
  writer.writeEnd(delta, at + added.length)
  release()
  return delta
}

function release(): void {
  finder.release()
  writer.release()
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

/** What lies in front of some copies, and behind the last of all, straight from what the finder holds; answers where that ends. */
function writeAdded(
  { bytes, starts, lengths, count }: CopyFinder,
  delta: Uint8Array,
  start: number,
  firstCopy: number,
  endCopy: number,
  sourceLength: number,
  targetLength: number,
): number {
  let at = start
  let from = firstCopy === 0 ? sourceLength : starts[firstCopy - 1]! + lengths[firstCopy - 1]!
  for (let i = firstCopy; i < endCopy; i++) {
    const to = i < count ? starts[i]! : sourceLength + targetLength
    if (to - from > 32) delta.set(bytes.subarray(from, to), at)
    else for (let k = from; k < to; k++) delta[at + k - from] = bytes[k]!
    at += to - from
    if (i < count) from = to + lengths[i]!
  }
  return at
}
