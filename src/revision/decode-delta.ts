// Delta → value. A delta may come from a damaged file or from a stranger: whatever it holds, the answer is a value or a
// `DeltaError`, after work and memory that the longest value allowed bounds.

import {
  AddressCache,
  add,
  copy,
  first,
  fromSource,
  magic,
  nearMode,
  run,
  sameMode,
  second,
  sizeBytesMax,
} from './vcdiff.ts'

/** The bytes are no delta, or none of this source. */
export class DeltaError extends Error {}

/** Shorter copies are made byte by byte: asking for the bytes between costs more than moving them. */
const loopMax = 48

const cache = new AddressCache()

/** One section of the window, and how far it has been read. */
class Section {
  readonly #bytes: Uint8Array
  readonly #name: string
  readonly #end: number
  at: number

  constructor(bytes: Uint8Array, name: string, start: number, end: number) {
    this.#bytes = bytes
    this.#name = name
    this.at = start
    this.#end = end
  }

  get left(): number {
    return this.#end - this.at
  }

  byte(): number {
    if (this.at >= this.#end) throw new DeltaError(`${this.#name} end too early`)
    return this.#bytes[this.at++]!
  }

  size(): number {
    let value = 0
    for (let i = 0; i < sizeBytesMax; i++) {
      const byte = this.byte()
      if (i === 0 && byte === 0x80) break
      value = value * 0x80 + (byte & 0x7f)
      if (byte < 0x80) {
        if (value > 0x7fff_ffff) break
        return value
      }
    }
    throw new DeltaError(`${this.#name} hold an integer that is too long`)
  }

  /** Steps over `size` bytes, and says where they begin. */
  skip(size: number): number {
    if (size > this.left) throw new DeltaError(`${this.#name} end too early`)
    const start = this.at
    this.at += size
    return start
  }

  /** The next `size` bytes as a section of their own. */
  part(name: string, size: number): Section {
    const start = this.skip(size)
    return new Section(this.#bytes, name, start, start + size)
  }

  done(): void {
    if (this.left > 0) throw new DeltaError(`${this.#name} are followed by ${this.left} bytes that nothing reads`)
  }
}

/**
 * The value that `delta` makes of `source`. A delta that would make more than `lengthMax` bytes is refused before they are allocated.
 * Other encoders' deltas are understood too, if they have one window and ask for no more than the default code table: they may take a part of the source as segment.
 */
export function decodeDelta(source: Uint8Array, delta: Uint8Array, lengthMax: number): Buffer<ArrayBuffer> {
  const whole = new Section(delta, 'header and window', 0, delta.length)
  for (const byte of magic) if (whole.byte() !== byte) throw new DeltaError('does not begin as VCDIFF, version 0, does')
  if (whole.byte() !== 0) throw new DeltaError('asks for a compressor, a code table or a header of its own')
  const indicator = whole.byte()
  if (indicator > fromSource) throw new DeltaError(`asks for a window of kind ${indicator}`)
  const segmentSize = indicator === fromSource ? whole.size() : 0
  const segmentStart = indicator === fromSource ? whole.size() : 0
  if (segmentStart + segmentSize > source.length) throw new DeltaError('source is shorter than the segment')
  const window = whole.part('sections', whole.size())
  whole.done()
  const length = window.size()
  if (length > lengthMax) throw new DeltaError(`makes ${length} bytes where ${lengthMax} are allowed`)
  if (window.byte() !== 0) throw new DeltaError('has a compressed section')
  const sizes = [window.size(), window.size(), window.size()] as const
  const bytes = window.part('bytes to add', sizes[0])
  const instructions = window.part('instructions', sizes[1])
  const addresses = window.part('addresses', sizes[2])
  window.done()
  // Of its own: a value outlives many others, and must not keep a shared pool alive. Each of its bytes is written, or none is seen.
  const target = Buffer.allocUnsafeSlow(length)
  const segment = source.subarray(segmentStart, segmentStart + segmentSize)
  fill(target, segment, delta, bytes, instructions, addresses)
  return target
}

function fill(
  target: Uint8Array,
  segment: Uint8Array,
  delta: Uint8Array,
  bytes: Section,
  instructions: Section,
  addresses: Section,
): void {
  cache.clear()
  let filled = 0
  while (instructions.left > 0) {
    const code = instructions.byte()
    for (let half = first; ; half = second) {
      const type = half.types[code]!
      // Only the second half may be nothing.
      if (type === 0) break
      const size = half.sizes[code]! || instructions.size()
      if (size > target.length - filled) throw new DeltaError('instructions make more than the target')
      if (type === copy)
        copyAt(target, filled, segment, addressOf(half.modes[code]!, segment.length + filled, addresses), size)
      else if (type === add) addAt(target, filled, delta, bytes.skip(size), size)
      else if (type === run) target.fill(bytes.byte(), filled, filled + size)
      filled += size
      if (half === second) break
    }
  }
  if (filled < target.length) throw new DeltaError('instructions make less than the target')
  bytes.done()
  addresses.done()
}

function addressOf(mode: number, here: number, addresses: Section): number {
  let address: number
  if (mode >= sameMode) address = cache.same[(mode - sameMode) * 256 + addresses.byte()]!
  else if (mode >= nearMode) address = cache.near[mode - nearMode]! + addresses.size()
  else address = mode === 0 ? addresses.size() : here - addresses.size()
  if (address < 0 || address >= here) throw new DeltaError('a copy begins where nothing is yet')
  cache.add(address)
  return address
}

function addAt(target: Uint8Array, at: number, delta: Uint8Array, from: number, size: number): void {
  if (size > loopMax) target.set(delta.subarray(from, from + size), at)
  else for (let i = 0; i < size; i++) target[at + i] = delta[from + i]!
}

function copyAt(target: Uint8Array, at: number, segment: Uint8Array, address: number, size: number): void {
  const inSegment = Math.min(size, Math.max(0, segment.length - address))
  if (inSegment > 0) addAt(target, at, segment, address, inSegment)
  if (inSegment === size) return
  // What is copied may only come to be while it is copied: three bytes repeated, for one.
  const from = Math.max(0, address - segment.length)
  let to = at + inSegment
  const end = at + size
  while (to < end) {
    const some = Math.min(end - to, to - from)
    if (some > loopMax) {
      target.copyWithin(to, from, from + some)
      to += some
    } else {
      for (let i = 0; i < some; i++) target[to + i] = target[from + i]!
      to += some
    }
  }
}
